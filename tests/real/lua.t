#!/bin/sh
# lua: tables, strings, closures, coroutines, the collector at work.
. "$(dirname "$0")/guest.sh"
need lua5.4

cat >"$tmp/guest.lua" <<'LUA'
local t, sum = {}, 0
for round = 1, 5 do
  for i = 1, 100000 do
    t[i] = {i, name = "n" .. (i * 7919 % 1000), f = function() return i + round end}
  end
  for i = 1, 100000, 3 do t[i] = false end
  for i = 1, 100000 do if t[i] then sum = sum + t[i].f() + #t[i].name end end
  collectgarbage(round % 2 == 0 and "generational" or "incremental")
end
print(sum)
local words = {}
for w in (("the quick brown fox jumps over the lazy dog "):rep(5000)):gmatch("%a+") do
  words[w] = (words[w] or 0) + 1
end
local names = {}
for w in pairs(words) do names[#names + 1] = w end
table.sort(names)
for _, w in ipairs(names) do io.write(w, "=", words[w], " ") end
print()
local co = coroutine.wrap(function() for i = 1, 20000 do coroutine.yield(("x"):rep(i % 100)) end end)
local n = 0
for i = 1, 20000 do n = n + #co() end
print(n, ("%5.2f|%q|%x"):format(3.14159, "a\nb", 255), (("abc"):rep(100000)):gsub("b", "xx"):len())
print(select(2, pcall(error, {code = 42})).code, select("#", table.unpack({}, 1, 200)))
collectgarbage()
print(#t, collectgarbage("count") > 0)
LUA
same "a script" lua5.4 "$tmp/guest.lua"
done_testing
