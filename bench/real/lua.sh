# Lua: tables as trees, lists and maps, closures, and strings put together.
. "$(dirname "$0")/lib.sh"
need lua5.4
program()
{
    cat <<'END'
local function tree(depth)
    if depth == 0 then return {} end
    return { left = tree(depth - 1), right = tree(depth - 1) }
end
local function count(t)
    return t.left and 1 + count(t.left) + count(t.right) or 1
end
local total = 0
for round = 1, tonumber(arg[1]) do
    total = total + count(tree(14))
    local parts, map = {}, {}
    for i = 1, 40000 do
        parts[#parts + 1] = ("%d:%x"):format(i, i * 7919 % 65536)
        map[parts[i]] = function() return i end
    end
    local text = table.concat(parts, ",")
    for word in text:gmatch("[^,]+") do total = total + map[word]() end
end
print(total)
END
}
prepare()
{
    once tables.lua program
}
run()
{
    on lua5.4 tables.lua "$(often 20)"
}
main "$@"
