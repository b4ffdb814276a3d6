-- SPDX-License-Identifier: Apache-2.0
-- A module, found by require through package.path.
local shapes = {}
shapes.__index = shapes

function shapes.square(side)
    return setmetatable({side = side}, shapes)
end

function shapes:area()
    return self.side * self.side
end

shapes.__eq = function(a, b) return a.side == b.side end
shapes.__add = function(a, b) return shapes.square(a.side + b.side) end
shapes.__tostring = function(a) return "square of " .. a.side end

return shapes
