#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a random policy about the classes in lab/, for comparing the module with the interpreter.

    make_policy.py SEED OUTPUT.psl

Every policy compiles. It has an object of each model and, for each kind of visitor and method, a tree of
match and choice sections with rules whose expressions are well-typed but otherwise anything. The prices
of rules and queries on state are added up along each path, so that none is refused for them.
"""

import random
import sys

UNSIGNED = {"UInt8": 8, "UInt16": 16, "UInt32": 32, "UInt64": 64}
SIGNED = {"SInt8": 8, "SInt16": 16, "SInt32": 32, "SInt64": 64}
METHODS = {  # numbers by type, texts, SIDs
    "Numbers": ({"UInt8": ["message.a"], "SInt8": ["message.b"], "UInt16": ["message.c"],
                 "SInt16": ["message.d"], "UInt32": ["message.e"], "SInt32": ["message.f"],
                 "UInt64": ["message.g"], "SInt64": ["message.h"]}, [], []),
    "Texts": ({"UInt8": ["message.raw.[0]", "message.raw.[2]"],
               "UInt64": ["size (message.raw)", "size (message.first)"]},
              ["message.first", "message.second"], []),
    "Shapes": ({"UInt8": ["message.index"], "UInt16": ["message.table.[1]", "message.table.[message.index]"],
                "UInt32": ["message.shape.radius"], "SInt32": ["message.points.[2].x", "message.shape.corner.y"],
                "UInt64": ["message.shape.area"]}, [], []),
    "Names": ({"UInt32": ["message.index", "message.numbers.[0]", "message.numbers.[message.index]"],
               "UInt64": ["message.names.[0].id", "size (message.names)"],
               "UInt16": ["message.names.[0].tags.[1]"]},
              ["message.names.[0].name", "message.names.[1].name"], []),
    "Handles": ({"UInt32": ["message.left.rights", "message.pair.first.rights"]}, [],
                ["message.left.handle", "message.pair.first", "message.pair.second.handle"]),
}
WORDS = ["", "secret", "secrets", "x", "a", "aaa"]
PATTERNS = ["s[a-z]*", "[^a]*", "(a|b)+", ".{0,3}", "secrets?", "x|", "\\w+", "[a-y]{1,2}|\\S*t"]
STATES = ["one", "two", "three"]
VISITORS = [f"v.V{i}" for i in range(8)]
STEPPERS = [f"v.S{i}" for i in range(3)]  # each of whose messages is a step of one model, and no more
OBJECTS = """
policy object flow : Flow {{ type State = "one" | "two" | "three"
    config = {{ states : ["one", "two", "three"], initial : "{initial}", transitions : {{ {transitions} }} }} }}
policy object set : HashSet {{ type Entry = {entry}  config = {{ set_size : {set_size}, pool_size : {pool} }} }}
policy object map : StaticMap {{ type Value = {value}
    config = {{ keys : {{ "secret" : 3, "x" : {x}, "aaa" : 0 }}, pool_size : {pool} }} }}
policy object mic : Mic {{ config = {{ degrees : ["low", "high"], categories : ["red", "blue"] }} }}
policy object rbac : Rbac {{ config = {{ roles : ["guest", "user", "admin"], permissions : ["see", "change"],
    inherits : {{ "admin" : [{senior}] }}, holds : {{ "guest" : ["see"], "user" : ["change"] }} }} }}
policy object rate : RateLimit {{ config = {{ rate : {rate}, period_ms : 5, burst : {burst} }} }}
policy object hours : TimeWindow {{ config = {{ clock : "monotonic", period_s : 10, windows : [[0, 3], [5, {end}]] }} }}
audit profile some = {{ 0 : {{ base : {{ kss : ["granted"] }} }}, 3 : {{ flow : {{ kss : ["granted"], omit : ["{initial}"] }},
    set : {{ kss : ["granted"] }} }}, 64 : {{ base : {{ kss : ["granted"] }} }} }}
audit default = some {level}
"""


class Maker:
    """Expressions and rules for messages of one method."""

    def __init__(self, chance, entry, value):
        self.chance = chance
        self.entry = entry
        self.value = value
        self.numbers, self.texts, self.sids = {}, [], []
        self.state = 0  # instructions that rules and queries on state may still take
        self.facts = 0  # choices and patterns that may still come

    def about(self, method):
        self.numbers, self.texts, sids = METHODS[method]
        self.sids = ["src_sid", "dst_sid"] + sids
        self.facts = 5

    def literal(self, name):
        bits = UNSIGNED.get(name) or SIGNED[name]
        top = (1 << bits) - 1 if name in UNSIGNED else (1 << (bits - 1)) - 1
        low = 0 if name in UNSIGNED else -top - 1
        number = self.chance.choice((0, 1, 2, 3, 7, top, low, self.chance.randint(low, top)))
        return str(min(max(number, low), top))

    def atom(self, name):
        if name in self.numbers and self.chance.random() < 0.8:
            return self.chance.choice(self.numbers[name])
        other = self.chance.choice(sorted(self.numbers))
        text = self.chance.choice(self.numbers[other])
        return text if other == name else f"{name} ({text})"

    def integer(self, name, depth):
        kind = self.chance.random()
        if depth == 0 or kind < 0.4:
            return self.atom(name)
        inner = self.integer(name, depth - 1)
        if kind < 0.6:
            operator = self.chance.choice("+-*&|")
            rights = [self.operand(name, depth - 1) for _ in range(self.chance.choice((1, 1, 1, 2, 3)))]
            return f"({f' {operator} '.join([inner] + rights)})"
        if kind < 0.7:
            return f"(~{inner})"
        if kind < 0.8:
            return f"math.{self.chance.choice(('abs', 'neg'))} ({inner})"
        if kind < 0.9:
            method = self.chance.choice(("sum", "product"))
            return f"math.{method} [{inner}, {self.literal(name)}, {self.integer(name, depth - 1)}]"
        return (f"bool.cond {{if : {self.boolean(depth - 1)}, then : {inner}, "
                f"else : {self.integer(name, depth - 1)}}}")

    def operand(self, name, depth):
        """What may stand beside an integer of this type."""
        kind = self.chance.random()
        if kind < 0.4:
            return self.literal(name)
        if kind < 0.6:
            return (f"bool.cond {{if : {self.boolean(0)}, then : {self.literal(name)}, "
                    f"else : {self.literal(name)}}}")
        return self.integer(name, depth)

    def sid(self):
        return self.chance.choice(self.sids)

    def pick(self, priced):
        """Makes one of what can be afforded, or nothing."""
        affordable = [(price, made) for price, made in priced if price <= self.state]
        if not affordable:
            return None
        price, made = self.chance.choice(affordable)
        self.state -= price
        return made()

    def query(self):
        """A Boolean that a model answers."""
        method = self.chance.choice(("get", "get_uncommited"))
        permission = self.chance.choice(("see", "change"))
        return self.pick((
            (220, lambda: f"set.contains {{sid : {self.sid()}, entry : {self.entry_value()}}}"),
            (160, lambda: f"map.{method} {{sid : {self.sid()}, key : {self.key()}}} >= {self.literal(self.value)}"),
            (140, lambda: f'rbac.has {{sid : {self.sid()}, permission : "{permission}"}}'),
            (150, lambda: f"rate.left {{sid : {self.sid()}}} > {self.chance.randrange(4)}"),
            (110, lambda: "hours.is_open ()")))

    def chosen(self, make):
        """An argument, or a condition that chooses one."""
        if not self.numbers or self.chance.random() < 0.7:
            return make()
        return f"bool.cond {{if : {self.boolean(0)}, then : {make()}, else : {make()}}}"

    def name(self, among):
        return self.chosen(lambda: '"%s"' % self.chance.choice(among))

    def level(self):
        def one():
            degree = self.chance.choice(('"low"', '"high"', "()"))
            categories = self.chance.choice(('["red"]', '["blue"]', '["red", "blue"]', "[]", "()"))
            return self.chance.choice(('"low"', '"high"', f"{{degree : {degree}, categories : {categories}}}",
                                       f"{{degree : {degree}, categories : {categories}}}", "{}"))
        return self.chosen(one)

    def part(self, name):
        """A part of something that is written out."""
        values = [self.operand(name, 0) for _ in range(3)] + [self.atom(name)]
        self.chance.shuffle(values)
        listed = f"[{', '.join(values)}]"
        named = f"{{p : {values[0]}, q : {self.atom(name)}}}"
        other = f"{{q : {self.atom(name)}, r : 1}}"
        return self.chance.choice((
            f"{named}.q", f"bool.cond {{if : {self.boolean(0)}, then : {named}, else : {other}}}.q",
            f"{listed}.[{self.atom('UInt8')}]"))

    def text(self):
        """A text, maybe one that only state or a pattern finds."""
        text, word = self.chance.choice(self.texts), self.chance.choice(WORDS)
        kind = self.chance.random()
        if kind < 0.6:
            return text
        test = (self.query() if kind < 0.8 else None) or f're.match {{text : {text}, pattern : "s.*"}}'
        self.facts -= 1
        return f'bool.cond {{if : {test}, then : {text}, else : {self.chance.choice((self.texts[-1], chr(34) + word + chr(34)))}}}'

    def key(self):
        if self.chance.random() < 0.1:
            return f"bool.cond {{if : {self.boolean(0)}, then : [120], else : [{self.atom('UInt8')}]}}"
        if self.texts and self.facts > 0 and self.chance.random() < 0.5:
            self.facts -= 1
            return self.chance.choice(self.texts)
        return '"%s"' % self.chance.choice(("secret", "x", "aaa"))

    def entry_value(self):
        def part(name):
            if name == "Boolean":
                return self.chance.choice(("true", "false"))
            return self.literal(name) if self.chance.random() < 0.5 else self.atom(name)
        if isinstance(self.entry, dict):
            parts = [f"{key} : {part(name)}" for key, name in self.entry.items()]
            self.chance.shuffle(parts)
            return "{" + ", ".join(parts) + "}"
        if isinstance(self.entry, list):
            return "[" + ", ".join(part(name) for name in self.entry) + "]"
        return part(self.entry)

    def boolean(self, depth):
        kind = self.chance.random()
        if depth > 0 and kind < 0.3:
            operator = self.chance.choice(("&&", "||", "==>", "==", "!="))
            return f"({self.boolean(depth - 1)} {operator} {self.boolean(depth - 1)})"
        if depth > 0 and kind < 0.4:
            return f"!({self.boolean(depth - 1)})"
        if depth > 0 and kind < 0.5:
            return (f"bool.{self.chance.choice(('all', 'any'))} "
                    f"[{self.boolean(depth - 1)}, {self.boolean(0)}]")
        if kind < 0.6 and (query := self.query()):
            return f"({query})"
        if self.texts and kind < 0.75:
            text = self.chance.choice(self.texts)
            if self.facts > 0 and self.chance.random() < 0.5:
                self.facts -= 1
                return f're.match {{text : {text}, pattern : "{self.chance.choice(PATTERNS)}"}}'
            if self.facts > 1 and self.chance.random() < 0.4:
                self.facts -= 2
                return f're.match {{text : {self.text()}, pattern : "{self.chance.choice(PATTERNS)}"}}'
            right = self.chance.choice(self.texts + [f'"{self.chance.choice(WORDS)}"'])
            return f"({text} {self.chance.choice(('==', '!='))} {right})"
        if kind > 0.9:
            name = self.chance.choice(sorted(self.numbers))
            return f"({self.part(name)} {self.chance.choice(('==', '<', '>='))} {self.atom(name)})"
        if kind > 0.87:
            return f"({self.sid()} {self.chance.choice(('==', '!='))} {self.sid()})"
        name = self.chance.choice(sorted(self.numbers))
        right = self.literal(name) if self.chance.random() < 0.7 else self.integer(name, depth)
        return f"({self.integer(name, depth)} {self.chance.choice(('==', '!=', '<', '<=', '>', '>='))} {right})"

    def state_rule(self):
        sid = self.sid()
        role = self.name(("guest", "user", "admin"))
        state = self.name(STATES)
        add = self.chance.choice(("add", "remove"))
        commit = self.chance.choice(("commit", "rollback"))
        assign = self.chance.choice(("assign", "revoke", "enable", "disable"))
        call = self.chance.choice(("call", "invoke", "read", "write"))
        return self.pick((
            (270, lambda: f"flow.init {{sid : {sid}}}"),
            (230, lambda: f'flow.enter {{sid : {sid}, state : {state}}}'),
            (210, lambda: f'flow.allow {{sid : {sid}, states : [{state}, "one"]}}'),
            (290, lambda: f"set.{add} {{sid : {sid}, entry : {self.entry_value()}}}"),
            (280, lambda: f"set.init {{sid : {sid}}}"),
            (180, lambda: f"set.fini {{sid : {sid}}}"),
            (200, lambda: f"map.set {{sid : {sid}, key : {self.key()}, value : {self.literal(self.value)}}}"),
            (300, lambda: f"map.init {{sid : {sid}}}"),
            (200, lambda: f"map.{commit} {{sid : {sid}}}"),
            (200, lambda: f'rbac.{assign} {{sid : {sid}, role : {role}}}'),
            (290, lambda: f"rbac.init {{sid : {sid}}}"),
            (290, lambda: f"rate.init {{sid : {sid}}}"),
            (180, lambda: f"rate.fini {{sid : {sid}}}"),
            (200, lambda: f"rate.take {{sid : {sid}, count : {self.chance.randrange(4)}}}"),
            (120, lambda: "hours.allow ()"),
            (60, lambda: f"set_level {self.chance.choice((0, 3, 64))}"),
            (260, lambda: f"mic.{call} {{source : {sid}, target : {self.sid()}}}")))

    def steps(self, model):
        """A choice of a step of this model by a small number; all are about the source."""
        role, other = self.chance.sample(("guest", "user", "admin"), 2)
        number = self.chance.choice(("message.a", "message.c", "message.g"))
        value, word = f"{self.value} ({number} & 1)", self.chance.choice(("secret", "x", "aaa"))
        places = "source : src_sid, target : dst_sid, container : (), driver : src_sid"
        permission = self.chance.choice(("see", "change"))
        entry = self.small_entry()
        rules = {
            "rbac": ("init {}", f'assign {{role : "{role}"}}', f'revoke {{role : "{role}"}}',
                     f'enable {{role : "{role}"}}', f'?is_enabled {{role : "{role}"}}',
                     f'assign {{role : {self.name((role, other))}}}', f'allow {{permission : "{permission}"}}',
                     self.chance.choice(("fini {}", f'disable {{role : "{role}"}}', f'enable {{role : "{other}"}}'))),
            "map": ("init {}", f'set {{key : "{word}", value : {value}}}', "commit {}", "rollback {}", "fini {}",
                    f'?get {{key : "{word}"}} == {value}', f'?get_uncommited {{key : "{word}"}} == {value}'),
            "set": ("init {}", f"add {{entry : {entry}}}", f"add {{entry : {entry}}}", f"remove {{entry : {entry}}}",
                    f"?contains {{entry : {entry}}}", "fini {}"),
            "rate": ("init {}", f"take {{count : {number}}}", "take {count : 1}", "fini {}",
                     f"?left {{}} >= UInt64 ({number})"),
            "mic": (f"execute {{image : (), target : src_sid, level : {self.level()}, levelR : ()}}",
                    f"execute {{image : src_sid, target : dst_sid, level : {self.level()}, levelR : {self.level()}}}",
                    f"create {{{places}, level : {self.level()}}}", f"upgrade {{{places}, level : {self.level()}}}",
                    f"delete {{{places}}}", "call {source : src_sid, target : dst_sid}",
                    "invoke {source : src_sid, target : dst_sid}"),
        }[model]
        cases = []
        for number, rule in enumerate(self.chance.sample(rules, len(rules))):
            if model != "mic":
                rule = rule.replace("{", "{sid : src_sid, ", 1).replace(", }", "}")
            rule = f"assert ({model}.{rule[1:]})" if rule[0] == "?" else f"{model}.{rule}"
            cases.append(f"{number} : {rule}")
        return f"choice (message.e & 7) {{ {' '.join(cases)} }}"

    def small_entry(self):
        """An entry of few values, so that they come again."""
        def part(name):
            return f"{name} (message.a & 3)"
        if isinstance(self.entry, dict):
            return "{" + ", ".join(f"{key} : {part(name)}" for key, name in self.entry.items()) + "}"
        if isinstance(self.entry, list):
            return "[" + ", ".join(part(name) for name in self.entry) + "]"
        return part(self.entry)

    def rule(self):
        kind = self.chance.random()
        if kind < 0.4 and (rule := self.state_rule()):
            return rule
        if kind < 0.5:
            return "grant ()"
        if kind < 0.53:
            return "deny ()"
        return f"{self.chance.choice(('assert', 'assert', 'deny'))} ({self.boolean(2)})"

    def cases(self, keys, depth):
        """Cases exclude each other, so each may use all of what is left."""
        left, least, result = self.state, self.state, []
        for key in keys:
            self.state = left
            result.append(f"{key} : {{ {self.items(depth - 1)} }}")
            least = min(least, self.state)
        self.state = least
        return " ".join(result)

    def choice(self, depth):
        self.facts -= 1
        rest = ["_"] if self.chance.random() < 0.6 else []
        kind = self.chance.random()
        if self.state > 150 and kind < 0.25:
            self.state -= 150
            keys = ['"%s"' % state for state in self.chance.sample(STATES, 2)]
            return f"choice (flow.query {{sid : {self.sid()}}}) {{ {self.cases(keys + rest, depth)} }}"
        if self.texts and kind < 0.6:
            text = self.chance.choice(self.texts)
            if self.chance.random() < 0.5:
                keys = ['"%s"' % pattern for pattern in self.chance.sample(PATTERNS, 2)]
                return f"choice (re.select {{text : {text}}}) {{ {self.cases(keys + rest, depth)} }}"
            keys = ['"%s"' % word for word in self.chance.sample(WORDS, 2)]
            return f"choice ({text}) {{ {self.cases(keys + rest, depth)} }}"
        if kind < 0.7:
            return f"choice ({self.boolean(1)}) {{ {self.cases(['true'] + rest, depth)} }}"
        name = self.chance.choice(sorted(self.numbers))
        keys = [str(key) for key in self.chance.sample(range(6), 3)]
        self.chance.shuffle(keys)
        return f"choice ({self.integer(name, 1)}) {{ {self.cases(rest + keys if self.chance.random() < 0.2 else keys + rest, depth)} }}"

    def items(self, depth):
        result = []
        for _ in range(self.chance.randint(1, 3)):
            if depth > 0 and self.facts > 0 and self.chance.random() < 0.4:
                result.append(self.choice(depth))
            else:
                result.append(self.rule())
        return " ".join(result)


def make(seed):
    chance = random.Random(seed)
    entry = chance.choice(("UInt16", "SInt8", {"a": "UInt8", "b": "SInt32"}, ["UInt64", "UInt8"]))
    entry_text = ("{ " + ", ".join(f"{k} : {v}" for k, v in entry.items()) + " }" if isinstance(entry, dict)
                  else "[" + ", ".join(entry) + "]" if isinstance(entry, list) else entry)
    value = chance.choice(("UInt8", "SInt16", "UInt64"))
    transitions = ", ".join('"%s" : [%s]' % (state, ", ".join(f'"{t}"' for t in chance.sample(STATES, 2)))
                            for state in chance.sample(STATES, 2))
    lines = [f"// Made by make_policy.py from seed {seed}.\n"
             "use nk.basic._\nuse nk.regex._\nuse tessera._\nuse EDL Einit\nuse EDL lab.Park\n"]
    lines += [f"task class {name} : lab.Visitor\n" for name in VISITORS + STEPPERS]
    lines.append(OBJECTS.format(
        initial=chance.choice(STATES), transitions=transitions, entry=entry_text, set_size=chance.randint(2, 4),
        pool=chance.randint(1, 4), value=value, x=chance.randrange(100), rate=chance.randint(1, 5),
        burst=chance.randint(1, 4), end=chance.randint(6, 10), level=chance.choice((0, 3)),
        senior=chance.choice(('"user"', '"guest"', '"guest", "user"'))))
    maker = Maker(chance, entry, value)
    lines.append("execute { grant () }\n")
    for name in VISITORS:
        maker.numbers = {}  # of process starts there are none
        rules = [chance.choice(("flow.init {sid : dst_sid}", "set.init {sid : dst_sid}", "map.init {sid : dst_sid}",
                                "rbac.init {sid : dst_sid}", "rate.init {sid : dst_sid}",
                                'mic.execute {image : (), target : dst_sid, level : "high", levelR : ()}',
                                f"mic.execute {{image : (), target : dst_sid, level : {maker.level()}, levelR : ()}}",
                                f"mic.execute {{image : src_sid, target : dst_sid, level : (), levelR : {maker.level()}}}"))]
        lines.append(f"execute dst={name} {{ {' '.join(rules)} }}\n")
        for method in METHODS:
            maker.about(method)
            lines.append(f"request src={name} dst=lab.Park interface=lab.Zoo method={method} {{\n")
            maker.state = 0
            lines.append(f"    {maker.items(1)}\n")
            for endpoint in ("front", "north.zoo", "south.zoo"):
                maker.state = 400
                profile = chance.choice(("", "", "audit some ", "audit global "))
                lines.append(f"    match endpoint={endpoint} {{ {profile}{maker.items(2)} }}\n")
                maker.facts = 3
            lines.append("}\n")
    maker.about("Numbers")
    maker.state = 0
    models = ["rbac", "map", "set", "rate", "mic"]
    for i, model in enumerate(models + chance.sample(models, 4)):
        endpoint = ("front", "north.zoo", "south.zoo")[i % 3]
        lines.append(f"request src={STEPPERS[i // 3]} dst=lab.Park endpoint={endpoint} method=Numbers "
                     f"{{ {maker.steps(model)} }}\n")
    chain = " && ".join(f"size (message.{part}) != {number}" for number in range(7, 107)
                        for part in ("raw", "first", "second"))
    lines.append(f"request src={STEPPERS[0]} dst=lab.Park interface=lab.Zoo method=Texts {{ assert ({chain}) }}\n")
    lines.append("response src=lab.Park { grant () }\nerror src=lab.Park { grant () }\n")
    return "".join(lines)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[2], "w", encoding="utf-8") as output:
        output.write(make(int(sys.argv[1])))


if __name__ == "__main__":
    main()
