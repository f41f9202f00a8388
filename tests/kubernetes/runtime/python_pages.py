"""More programs as tutorials have them, judged by CPython as those of python_programs.py are: code that waits where others ask it,
classes that come from built-in ones, the library's smaller modules, asyncio."""

PAGES: list[tuple[str, str]] = [
    (r'''import time
def slow(x):
    time.sleep(0.01)
    return -x
print(sorted([3, 1, 2], key=slow), max([1, 5, 2], key=slow), list(map(slow, [1, 2])), sum(slow(i) for i in range(3)))
def gen():
    for i in range(3):
        time.sleep(0.01)
        yield i
print(list(gen()), tuple(gen()), set(gen()), ",".join(str(i) for i in gen()), any(i == 1 for i in gen()), all(gen()), min(gen()))
class P:
    def __init__(self, n): self.n = n
    def __lt__(self, o): return self.n < o.n
    def __repr__(self): return "P%d" % self.n
    def __iter__(self):
        time.sleep(0.01)
        yield from range(self.n)
    @property
    def late(self):
        time.sleep(0.01)
        return self.n
    @property
    def bad(self):
        return self.nope
x = [P(3), P(1), P(2)]
x.sort(reverse=True)
print(sorted(x), x, list(P(3)), P(9).late, max(P(2), P(7)), sorted(x, key=lambda p: (p.n % 2, p.n)))
print(next(gen(), None), dict(enumerate(gen())))
x.extend(p for p in (P(4), P(5)))
print(x, max("a", "bb", key=len))
import datetime
d = {datetime.date(2024, 1, 2): 1, datetime.datetime(2024, 1, 1): 2}
print(d[datetime.date(2024, 1, 2)], sorted([datetime.date(2024, 5, 1), datetime.date(2023, 1, 1)]))
try:
    print(sorted([1, "a"]))
except TypeError as e:
    print(e)
print(sorted([P(1), 3], key=lambda p: 1 if isinstance(p, int) else 0))
P(1).bad
''', ''),
    (r'''import json, enum, operator, csv, io, hmac, hashlib, tempfile, os, bisect, statistics, collections
from enum import Enum
class D(dict):
    def __getattr__(self, k):
        try: return self[k]
        except KeyError: raise AttributeError(k)
    def total(self): return sum(self.values())
d = D(a=1, b=2); d["c"] = 3
print(d, d.total(), d.a, len(d), isinstance(d, dict), list(d), d.get("z", 9), json.dumps(d), {**d}, d == {"a": 1, "b": 2, "c": 3}, "a" in d)
for k, v in d.items(): print(k, v)
class Default(dict):
    def __missing__(self, key):
        self[key] = value = key * 2
        return value
print(Default()["x"])
class L(list):
    def first(self): return self[0]
x = L([3, 1]); x.append(2); x.sort(); print(x, x.first(), x[-1], len(x), x + [5], sorted(x))
class S(str):
    def shout(self): return self.upper() + "!"
s = S("hi"); print(s, s.shout(), s + "x", "y" + s, s == "hi", {"hi": 1}[s], len(s), f"{s:>5}")
class Color(str, Enum):
    RED = "red"
    BLUE = "blue"
print(Color.RED == "red", Color("blue").name, json.dumps({"c": Color.RED}), {"red": 1}[Color.RED], [c.value for c in Color])
print(Color.RED.upper(), repr(Color.RED))
class N(int):
    pass
print(N(4) + 1, N(3) < 4, isinstance(N(1), int))
print(sorted([(1, "b"), (0, "z")], key=operator.itemgetter(1)))
f = io.StringIO("a,b\n1,\"x, y\"\n2,z\n")
for row in csv.DictReader(f): print(row)
out = io.StringIO(); w = csv.writer(out); w.writerow([1, "a,b", None, 'q"']); print(repr(out.getvalue()))
print(hmac.new(b"key", b"msg", hashlib.sha256).hexdigest())
with tempfile.TemporaryDirectory() as t:
    open(os.path.join(t, "f"), "w").write("x\n")
    print(os.listdir(t), open(os.path.join(t, "f")).read())
print(os.path.exists(t), bisect.bisect([1, 2, 3], 2), statistics.mean([1, 2, 3, 4]), statistics.median([1, 5, 2]))
from concurrent.futures import ThreadPoolExecutor, as_completed
import time
def work(n):
    time.sleep(0.01 * n)
    return n * n
with ThreadPoolExecutor(max_workers=3) as ex:
    print(list(ex.map(work, range(4))))
    print(sorted(f.result() for f in as_completed([ex.submit(work, i) for i in range(3)])))
''', ''),
    (r'''import asyncio, time
async def work(n):
    await asyncio.sleep(0.1 * n)
    print("done", n)
    return n * 2
async def fails():
    await asyncio.sleep(0.001)
    raise ValueError("boom")
class Res:
    async def __aenter__(self):
        print("enter"); await asyncio.sleep(0); return self
    async def __aexit__(self, *a):
        print("exit", a[0])
    def __aiter__(self):
        self.n = 0
        return self
    async def __anext__(self):
        self.n += 1
        if self.n > 3: raise StopAsyncIteration
        await asyncio.sleep(0.001)
        return self.n
async def slow():
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        print("cancelled inside")
        raise
    finally:
        print("cleanup")
async def outer():
    await slow()
async def consumer(q):
    while True:
        x = await q.get()
        print("got", x)
        q.task_done()
async def main():
    print(await asyncio.gather(work(3), work(1), work(2)))
    t = asyncio.create_task(work(1), name="t")
    print(t.done(), await t, t.done(), t.get_name())
    try:
        await fails()
    except ValueError as e:
        print("caught", e)
    async with Res() as r:
        async for i in r:
            if i == 3: break
            print(i)
    try:
        await asyncio.wait_for(outer(), 0.01)
    except asyncio.TimeoutError:
        print("timeout")
    print(await asyncio.gather(fails(), work(1), return_exceptions=True))
    q = asyncio.Queue()
    c = asyncio.create_task(consumer(q))
    for i in range(3): await q.put(i)
    await q.join()
    c.cancel()
    try:
        await c
    except asyncio.CancelledError:
        print("c cancelled")
    sem = asyncio.Semaphore(1)
    async with sem: print("sem")
    print(await asyncio.to_thread(lambda: 5))
    async with asyncio.TaskGroup() as tg:
        tg.create_task(work(1)); tg.create_task(work(0))
    async def handle(reader, writer):
        line = await reader.readline()
        writer.write(b"echo " + line); await writer.drain(); writer.close()
    return "end"
    server = await asyncio.start_server(handle, "127.0.0.1", 18765)
    async with server:
        r, w = await asyncio.open_connection("127.0.0.1", 18765)
        w.write(b"hey\n"); print(await r.read()); w.close()
    return "end"
print(asyncio.run(main()))
def sub():
    x = yield 1
    print("sent", x)
    return "r"
def top():
    y = yield from sub()
    print("y", y)
g = top(); next(g)
try: g.send(5)
except StopIteration: print("stop")
''', ''),
]
