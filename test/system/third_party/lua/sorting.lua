-- SPDX-License-Identifier: Apache-2.0
local state = 42
local function random()
    state = (state * 1103515245 + 12345) & 0x7fffffff
    return state
end
local list, sum = {}, 0
for i = 1, 20000 do list[i] = random(); sum = sum + list[i] end
table.sort(list)
local after = list[1]
for i = 2, #list do assert(list[i - 1] <= list[i]); after = after + list[i] end
assert(#list == 20000 and after == sum)
table.sort(list, function(a, b) return a > b end)
for i = 2, #list do assert(list[i - 1] >= list[i]) end
assert(not pcall(table.sort, {3, "x", 1}))
