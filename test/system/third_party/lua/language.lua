-- SPDX-License-Identifier: Apache-2.0
-- Closures, coroutines, patterns, tables, numbers, modules.
local function counter()
    local n = 0
    return function() n = n + 1; return n end
end
local a, b = counter(), counter()
assert(a() == 1 and a() == 2 and b() == 1)

local function leaves(tree)
    return coroutine.wrap(function()
        local function walk(node)
            if type(node) == "table" then
                for _, inner in ipairs(node) do walk(inner) end
            else
                coroutine.yield(node)
            end
        end
        walk(tree)
    end)
end
local found = {}
for leaf in leaves({1, {2, {3, 4}}, {{{5}}}}) do found[#found + 1] = leaf end
assert(table.concat(found, ",") == "1,2,3,4,5")
local broken = coroutine.create(function() error("within") end)
local fine, why = coroutine.resume(broken)
assert(not fine and why:find("within$") and coroutine.status(broken) == "dead")

local words = {}
for key, value in ("cpu=4, name=virt;empty="):gmatch("(%w+)=(%w*)") do words[key] = value end
assert(words.cpu == "4" and words.name == "virt" and words.empty == "")
assert(("hello world"):gsub("o", {o = "0"}) == "hell0 w0rld")
assert(("  text "):match("^%s*(.-)%s*$") == "text")
assert(("f(a(b)c)d"):match("%b()") == "(a(b)c)")
assert(string.format("%5.2f|%-4d|%x|%q", 3.14159, 7, 255, "a\nb") == " 3.14|7   |ff|\"a\\\nb\"")
assert(utf8.char(8364) == "€" and utf8.len("naïve") == 5)
assert(string.unpack("<I4", string.pack("<I4", 0xCAFE)) == 0xCAFE)

local list = table.pack(table.unpack({1, 2, 3}))
assert(list.n == 3 and #table.move({1, 2, 3}, 1, 3, 3) == 5)
assert(7 // 2 == 3 and -7 // 2 == -4 and -7 % 3 == 2 and 7 / 2 == 3.5 and 2 ^ 10 == 1024)
assert(math.maxinteger + 1 == math.mininteger and 1 << 63 == math.mininteger and math.type(1.0) == "float")
assert(0.1 + 0.2 ~= 0.3 and tostring(1e15) == "1e+15" and tostring(2^53) == "9.007199254741e+15")
assert(math.sqrt(2) * math.sqrt(2) - 2 < 1e-15 and math.abs(math.sin(math.pi)) < 1e-15)

local shapes = require("shapes")
assert(require("shapes") == shapes and shapes.square(3):area() == 9)
assert(tostring(shapes.square(1) + shapes.square(2)) == "square of 3")
assert(shapes.square(2) == shapes.square(2))
assert(not pcall(require, "circles"))

local weak = setmetatable({}, {__mode = "k"})
weak[{}] = true
collectgarbage()
assert(next(weak) == nil)
local closed = false
do
    local kept <close> = setmetatable({}, {__close = function() closed = true end})
end
assert(closed)
for i = 1, 3 do
    if i == 2 then goto skip end
    assert(i ~= 2)
    ::skip::
end
