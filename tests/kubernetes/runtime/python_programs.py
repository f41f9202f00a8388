"""Programs as learners write them, each with what its standard input is given. test_python.py compares what they print with CPython."""

PROGRAMS: list[tuple[str, str]] = [
    (r'''import time
for i in range(3):
    print(f'count {i}', flush=True)
    time.sleep(0.01)
''', ''),
    (r'''import json
print(json.dumps({'a': [1, 2.5, None, True], 'b': {'c': '한글'}}, indent=2, ensure_ascii=False))
print(json.loads('{"x": [1, {"y": null}]}')['x'][1])
try:
    json.loads('{bad')
except json.JSONDecodeError as e:
    print('bad', e)
''', ''),
    (r'''def f():
    raise ValueError('boom')

def g():
    f()

g()
''', ''),
    (r'''import sys
print('a')
sys.stderr.write('err\n')
sys.exit(3)
''', ''),
    (r'''import sys
sys.exit('fatal: no config')
''', ''),
    (r'''import os
os._exit(3)
''', ''),
    (r'''class Animal:
    count = 0
    def __init__(self, name):
        self.name = name
        Animal.count += 1
    def speak(self):
        return '...'
    def __str__(self):
        return f'<{self.name}>'
class Dog(Animal):
    def __init__(self, name, age=3):
        super().__init__(name)
        self.age = age
    def speak(self):
        return 'woof ' + super().speak()
    def __repr__(self):
        return f'Dog({self.name!r})'
d = Dog('rex')
print(d, repr(d), [d], d.speak(), Animal.count, isinstance(d, Animal), d.age)
''', ''),
    (r'''def gen(n):
    for i in range(n):
        x = yield i * i
        if x: print('got', x)
g = gen(4)
print(next(g), g.send('hi'), list(g))
print(sum(x for x in range(10) if x % 2), max([3, 1, 2]), min('b', 'a'), sorted([3, 1, 2], reverse=True))
''', ''),
    (r'''from collections import Counter, defaultdict, deque, namedtuple, OrderedDict
c = Counter('hello world')
print(c.most_common(2), c['l'])
d = defaultdict(list)
d['a'].append(1)
print(dict(d), d)
q = deque([1, 2, 3], maxlen=2)
print(q, q.popleft())
Point = namedtuple('Point', 'x y')
p = Point(1, y=2)
print(p, p.x + p.y, p._replace(x=5))
''', ''),
    (r'''x = 5
if (n := x * 2) > 8:
    print(f'{n=} {x!r:>5} {3.14159:.2f} {1234567:,} {255:#x} {"a":*^9}')
a, *b, c = range(6)
print(a, b, c)
(a, b), c = (1, 2), 3
print(a, b, c, [*range(3), *'ab'], {**{'k': 1}, 'z': 2})
''', ''),
    (r'''try:
    try:
        {}['missing']
    except KeyError as e:
        raise RuntimeError('wrapped') from e
finally:
    print('cleanup')
''', ''),
    (r'''try:
    int('abc')
except ValueError as e:
    print('error:', e)
else:
    print('no')
finally:
    print('done')
for bad in ('1/0', ):
    pass
try:
    [][5]
except (IndexError, KeyError) as e:
    print(type(e).__name__, e)
try:
    'a' + 1
except TypeError as e:
    print(e)
try:
    None.foo
except AttributeError as e:
    print(e)
try:
    undefined_name
except NameError as e:
    print(e)
try:
    open('/no/such')
except FileNotFoundError as e:
    print(e, e.errno)
''', ''),
    (r'''def outer():
    n = 0
    def inc(by=1):
        nonlocal n
        n += by
        return n
    return inc
f = outer()
f(); f(5)
print(f())
fns = [lambda i=i: i for i in range(3)]
print([g() for g in fns])
total = 0
def add(x):
    global total
    total += x
add(4)
print(total)
''', ''),
    (r'''import functools
def log(fn):
    @functools.wraps(fn)
    def w(*args, **kw):
        print('call', fn.__name__, args, kw)
        return fn(*args, **kw)
    return w
@log
def add(a, b, *, c=0):
    return a + b + c
print(add(1, 2, c=3), add.__name__)
print(functools.reduce(lambda a, b: a * b, range(1, 6)))
@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n-1) + fib(n-2)
print(fib(40))
''', ''),
    (r'''from dataclasses import dataclass, field, asdict
@dataclass
class Job:
    name: str
    tries: int = 0
    tags: list = field(default_factory=list)
j = Job('a', tags=['x'])
print(j, j == Job('a', 0, ['x']), asdict(j))
Job()
''', ''),
    (r'''import re
m = re.match(r'(?P<ip>[\d.]+) - (\w+)', '10.0.0.1 - bob x')
print(m.group('ip'), m.groups(), m.span())
print(re.sub(r'\d+', lambda m: str(int(m.group()) * 2), 'a1b22'), re.findall(r'\w+', 'to be or'), re.split(r',\s*', 'a, b,c'))
''', ''),
    (r'''import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format='%(levelname)s %(name)s %(message)s')
log = logging.getLogger('app')
log.info('started %s', 'x')
log.debug('hidden')
log.warning('careful')
try:
    1/0
except ZeroDivisionError:
    log.exception('failed')
''', ''),
    (r'''name = input('name? ')
print('hi', name)
import sys
for line in sys.stdin:
    print('line:', line.strip())
print(input())
''', 'kim\na\nb\n'),
    ('from datetime import datetime, timedelta, date\nd = datetime(2024, 2, 28, 12, 30)\nprint(d + timedelta'
     "(days=2), d.isoformat(), d.strftime('%Y/%m/%d'), date(2024, 3, 1) - date(2024, 2, 1), (d - datetime("
     "2024,1,1)).total_seconds())\nprint(repr(d), timedelta(hours=25), datetime.strptime('2020-01-02', '%Y-"
     "%m-%d'))\n", ''),
    ('import math, string, itertools\nprint(math.sqrt(16), math.pi, math.floor(2.7), math.gcd(12, 18), stri'
     'ng.digits)\nprint(list(itertools.chain([1], [2, 3])), list(itertools.islice(itertools.count(5), 3)), '
     "list(itertools.product('ab', repeat=2))[:2])\nprint(list(zip('ab', [1, 2])), list(map(str.upper, ['a'"
     ", 'b'])), list(filter(None, [0, 1, '', 2])), list(reversed([1, 2])), any([0, 1]), all([]))\n", ''),
    ("with open('/tmp/x.txt', 'w') as f:\n    f.write('one\\ntwo\\n')\n    print('three', file=f)\nwith open('/"
     "tmp/x.txt') as f:\n    for i, line in enumerate(f, 1):\n        print(i, line.rstrip())\nprint(open('/t"
     "mp/x.txt').read().splitlines())\nimport os\nprint(os.path.exists('/tmp/x.txt'), os.path.basename('/a/b"
     ".txt'), os.path.splitext('a.tar.gz'), os.path.join('/a', 'b'), os.path.getsize('/tmp/x.txt'))\nos.rem"
     "ove('/tmp/x.txt')\n", ''),
    (r'''import threading, time
lock = threading.Lock()
n = 0
def work():
    global n
    for _ in range(100):
        with lock:
            n += 1
ts = [threading.Thread(target=work) for _ in range(4)]
for t in ts: t.start()
for t in ts: t.join()
print(n)
''', ''),
    (r'''import queue, threading
q = queue.Queue()
out = []
def w():
    while True:
        item = q.get()
        if item is None: break
        out.append(item * 2)
        q.task_done()
t = threading.Thread(target=w); t.start()
for i in range(5): q.put(i)
q.join(); q.put(None); t.join()
print(out)
''', ''),
    (r'''import subprocess
r = subprocess.run(['echo', 'hi'], capture_output=True, text=True)
print(r.returncode, repr(r.stdout))
print(subprocess.check_output('echo a; echo b', shell=True).decode().split())
r = subprocess.run('exit 4', shell=True)
print(r.returncode)
try:
    subprocess.run(['false'], check=True)
except subprocess.CalledProcessError as e:
    print(e)
''', ''),
    (r'''import signal, os, time
def h(signum, frame):
    print('got', signum, signal.Signals(signum).name)
    raise SystemExit(0)
signal.signal(signal.SIGTERM, h)
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(5)
print('never')
''', ''),
    (r'''from contextlib import contextmanager
@contextmanager
def res(n):
    print('open', n)
    try:
        yield n * 2
    finally:
        print('close', n)
with res(1) as a, res(2) as b:
    print(a, b)
try:
    with res(3):
        raise KeyError('x')
except KeyError as e:
    print('caught', e)
''', ''),
    (r'''class Stack:
    def __init__(self): self.items = []
    def __len__(self): return len(self.items)
    def __getitem__(self, i): return self.items[i]
    def __iter__(self): return iter(self.items)
    def __contains__(self, x): return x in self.items
    def __add__(self, o):
        s = Stack(); s.items = self.items + o.items; return s
    def __eq__(self, o): return self.items == o.items
    def __call__(self, x): self.items.append(x); return self
    @property
    def top(self): return self.items[-1]
    @staticmethod
    def make(): return Stack()
    @classmethod
    def of(cls, *a):
        s = cls(); s.items = list(a); return s
s = Stack.of(1, 2)(3)
print(len(s), s[0], list(s), 2 in s, (s + s).items, s == Stack.of(1, 2, 3), s.top, bool(Stack.make()))
s.top = 3
''', ''),
    (r'''class Countdown:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        if self.n <= 0: raise StopIteration
        self.n -= 1
        return self.n
print([x for x in Countdown(3)])
for x in Countdown(2): print(x)
''', ''),
    (r'''def fact(n): return n * fact(n - 1)
try:
    fact(5)
except RecursionError as e:
    print('RecursionError', str(e)[:32])
''', ''),
    ("print({1, 2, 3} & {2, 3}, {3, 1, 2}, set(), frozenset([1]), {1: 'a'}.items(), [1, 2][::-1], 'hello'["
     "1:4], (1,), 10 // 3, -7 // 2, -7 % 3, 2 ** 10, 7 / 2, 1e20, 0.1 + 0.2, 1_000)\nprint('%s is %d years,"
     " %.2f%%' % ('Bob', 30, 12.5), '{0} {name} {0!r}'.format('x', name='y'), 'a,b'.split(','), ' x '.stri"
     "p(), 'abc'.find('c'), '-'.join('abc'), 'x'.ljust(3) + '|')\nprint(b'bytes', 'é'.encode(), b'abc'.deco"
     "de(), bytes([65]), chr(97), ord('a'), hex(255), bin(5), int('ff', 16), round(2.567, 2), abs(-3), div"
     'mod(7, 2), True + 1)\n', ''),
    (r'''import time
try:
    while True:
        raise KeyboardInterrupt
except KeyboardInterrupt:
    print('bye')
''', ''),
    (r'''import argparse
p = argparse.ArgumentParser()
p.add_argument('--port', type=int, default=8080)
p.add_argument('--debug', action='store_true')
print(p.parse_args(['--port', '90', '--debug']))
''', ''),
    (r'''from enum import Enum
class Color(Enum):
    RED = 1
    BLUE = 2
print(Color.RED, Color(2), Color['RED'].name, Color.RED.value, list(Color), Color.RED is Color(1))
class MyError(Exception):
    def __init__(self, code, msg):
        super().__init__(msg)
        self.code = code
try:
    raise MyError(5, 'bad')
except MyError as e:
    print(e, e.code, repr(e))
raise MyError(7, 'last')
''', ''),
    (r'''match 3:
    case 1 | 2: print('low')
    case n if n > 2: print('n', n)
match 'stop':
    case 'go': print('go')
    case 'stop': print('s')
    case _: print('?')
for i in range(5):
    if i == 3: break
else:
    print('no break')
while i: i -= 1
else: print('while else')
''', ''),
    ("data = [{'n': 'a', 'v': 3}, {'n': 'b', 'v': 1}]\nprint(sorted(data, key=lambda d: d['v'])[0]['n'], {d"
     "['n']: d['v'] for d in data}, {x % 3 for x in range(9)}, [(i, j) for i in range(2) for j in range(2)"
     " if i != j])\nd = {'x': 1}\nd.setdefault('y', []).append(2)\nd.update(z=3)\ndel d['x']\nprint(d, list(d),"
     " 'y' in d, d.get('q', 'none'), d.pop('z'), len(d))\nl = [3, 1, 2]; l.sort(); l.append(4); l.insert(0,"
     ' 9); l.extend([7]); print(l, l.index(4), l.count(1), l.pop(), l[-1]); l[1:3] = [0]; print(l)\n', ''),
    (r'''import atexit, sys
atexit.register(lambda: print('exit handler'))
print(sys.version_info >= (3, 8), sys.argv[0][-5:], __name__, type(1), type('a').__name__, type([]))
print(int, str, ValueError, print, None, ..., NotImplemented)
del sys
sys
''', ''),
    (r'''from urllib.parse import urlparse, parse_qs, quote, urlencode
u = urlparse('http://host:80/p/a?x=1&y=2#f')
print(u.path, u.query, u.hostname, u.port, parse_qs(u.query), quote('a b/c'), urlencode({'a': 1, 'b': 'x y'}))
import base64, hashlib
print(base64.b64encode(b'hi').decode(), hashlib.sha256(b'x').hexdigest()[:8])
''', ''),
]
