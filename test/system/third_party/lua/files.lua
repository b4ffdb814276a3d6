-- SPDX-License-Identifier: Apache-2.0
-- Files of both file systems, and time.
for _, path in ipairs({"/lines", "/data/lines"}) do
    local file = assert(io.open(path, "w"))
    for i = 1, 500 do assert(file:write("line ", i, "\n")) end
    assert(file:close())
    local count, last = 0, nil
    for line in io.lines(path) do count, last = count + 1, line end
    assert(count == 500 and last == "line 500")
    file = assert(io.open(path, "r+"))
    assert(file:seek("end") == 4392)
    assert(file:seek("set", 5) == 5 and file:read("n") == 1 and file:read("L") == "\n")
    assert(file:seek("set", 0) == 0 and file:write("LINE") and file:seek("set", 0) == 0)
    assert(#file:read("a") == 4392 and file:read("l") == nil)
    assert(file:close() and not pcall(file.read, file))
    assert(io.lines(path)() == "LINE 1")
    assert(os.rename(path, path .. ".old") and io.open(path) == nil)
    assert(os.remove(path .. ".old"))
    local none, text, number = os.remove(path)
    assert(none == nil and text == path .. ": No such file or directory" and number == 2)
end
local now = os.time()
assert(now >= 0 and os.difftime(now + 5, now) == 5.0)
assert(os.date("!%Y-%m-%d %H:%M:%S", 1000000000) == "2001-09-09 01:46:40")
assert(os.time({year = 2001, month = 9, day = 9, hour = 1, min = 46, sec = 40}) == 1000000000)
assert(os.getenv("NOTHING") == nil)
