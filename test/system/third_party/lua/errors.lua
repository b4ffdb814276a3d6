-- SPDX-License-Identifier: Apache-2.0
local function inner() error({code = 7}) end
local fine, value = pcall(inner)
assert(not fine and value.code == 7)
local function deep(n) if n == 0 then local nothing; return nothing.field end; return (deep(n - 1)) end
local trace
assert(not xpcall(deep, function(why) trace = debug.traceback(why, 1) end, 3))
assert(trace:find("attempt to index a nil value %(local 'nothing'%)") and trace:find("stack traceback:"))
assert(select(2, trace:gsub("in upvalue 'deep'", "")) == 3, trace)
assert(trace:find("errors.lua:5:"))
local chunk, why = load("x = = 1", "=text")
assert(chunk == nil and why == "text:1: unexpected symbol near '='")
local function endless() return 1 + endless() end
fine, why = pcall(endless)
-- A million slots are more than the memory of this component.
assert(not fine and (why:find("stack overflow") or why:find("not enough memory")), why)
fine, why = pcall(string.rep, "x", 1 << 40)
assert(not fine and (why:find("too large") or why:find("not enough memory")), why)
assert(not pcall(string.rep) and not pcall(function() return 1 < "2" end) and not pcall(function() return 1 // 0 end))
