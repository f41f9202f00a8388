"""Programs that end with a traceback or are no Python, judged by CPython as those of python_programs.py are: each with its standard input."""

FAULTS: list[tuple[str, str]] = [
    (r'''import no_such_module
''', ''),
    (r'''from no_such_package import Flask
''', ''),
    (r'''def f(a, b): pass
f(1)
''', ''),
    (r'''print('unterminated
''', ''),
    (r'''if True
    print(1)
''', ''),
    (r'''x = 1
  y = 2
''', ''),
    (r'''assert 1 == 2, 'math broke'
''', ''),
    (r'''lst = [1, 2, 3]
d = {'a': {'b': 1}}
print(lst[10])
''', ''),
    (r'''d = {'a': {'b': 1}}
x = d['a']['c'] + 1
''', ''),
    (r'''class A:
    def m(self):
        return self.missing
A().m()
''', ''),
    (r'''def f(x):
    return len(x) + undefined
print(f('abc') * 2)
''', ''),
    (r'''a = 5; b = 0
result = (a + 1) / b * 3
''', ''),
    (r'''try:
    raise ValueError('one')
except ValueError:
    raise TypeError('two')
''', ''),
]
