-- SPDX-License-Identifier: Apache-2.0
local LIMIT <const> = 100000
local crossed, count, last = {}, 0, 0
for n = 2, LIMIT do
    if not crossed[n] then
        count, last = count + 1, n
        for m = n * n, LIMIT, n do crossed[m] = true end
    end
end
assert(count == 9592 and last == 99991)
