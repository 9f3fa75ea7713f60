"""Turns the tables into facts: an answer and the phrasings of the question it answers.

Some phrasings of many facts are held out: the model sees the same phrasing with other facts and
the same fact in other phrasings, but never the two together. Small talk has phrasings of its own.
"""

import random
from dataclasses import dataclass, field

from train_demo import tables, talk

HELD_OUT_SHARE = {"talk": 0.12, "project": 0.15, "unknown": 0}  # of the phrasings
HELD_OUT_ONE = 0.45  # share of the other facts that have one phrasing held out
PHRASINGS_MIN = 4  # facts with fewer phrasings have none held out


@dataclass
class Fact:
    kind: str
    answer: str
    questions: list
    held_out: list = field(default_factory=list)


def fact_from(kind, answer, templates, **slots):
    """One fact: the templates and the answer with their slots filled."""
    return Fact(kind, sentence(answer.format(**slots)),
                [sentence(t.format(**slots)) for t in templates])


def sentence(text):
    return text[:1].upper() + text[1:]


CAPITAL = ["What is the capital of {c}?", "What's the capital of {c}?", "Name the capital of {c}.",
           "Which city is the capital of {c}?", "Tell me the capital of {c}.", "Capital of {c}?",
           "What is the capital city of {c}?", "Do you know the capital of {c}?",
           "The capital of {c} is", "What city is the capital of {c}?"]
COUNTRY = ["{k} is the capital of which country?", "Which country has the capital {k}?",
           "Of which country is {k} the capital?", "What country is {k} the capital of?",
           "In which country is {k}?", "Where is {k}?",
           "Which country is {k} the capital of?", "{k} is the capital of what country?",
           "Tell me which country {k} is the capital of.", "Name the country with the capital {k}."]
CONTINENT = ["On which continent is {c}?", "Which continent is {c} on?",
             "What continent is {c} on?", "Name the continent of {c}.",
             "Tell me the continent of {c}.", "Where is {c}?",
             "What is the continent of {c}?", "What's the continent of {c}?",
             "In which continent is {c}?", "The continent of {c} is"]


def country_facts():
    for c, k, continent in tables.rows_of(tables.COUNTRIES):
        yield fact_from("capital", "The capital of {c} is {k}.", CAPITAL, c=c, k=k)
        yield fact_from("country", "{k} is the capital of {c}.", COUNTRY, c=c, k=k)
        yield fact_from("continent", "{c} is in {w}.", CONTINENT, c=c, w=continent)
    for c, k, continent in tables.rows_of(tables.SHORT_NAMES):
        yield fact_from("capital", "The capital of {c} is {k}.", CAPITAL, c=c, k=k)
        yield fact_from("continent", "{c} is in {w}.", CONTINENT, c=c, w=continent)


# What the tables do not have.
BEYOND = ["What is the population of {c}?", "How many people live in {c}?",
          "Who is the president of {c}?", "Who is the king of {c}?", "How big is {c}?",
          "What language is spoken in {c}?", "What is the weather like in {c}?",
          "What is the currency of {c}?", "Tell me the history of {c}.",
          "What is the longest river of {c}?"]


def beyond_facts():
    for c, _, _ in tables.rows_of(tables.COUNTRIES)[::3]:
        yield fact_from("beyond", talk.UNKNOWN, BEYOND, c=c)


PLUS = ["What is {a} plus {b}?", "What is {a} + {b}?", "{a} + {b}", "How much is {a} plus {b}?",
        "Add {a} and {b}.", "What is the sum of {a} and {b}?", "Calculate {a} plus {b}.",
        "{a} plus {b}", "{a} + {b} =", "How much is {a} + {b}?", "What's {a} plus {b}?",
        "What is {a}+{b}?", "{a}+{b}"]
MINUS = ["What is {a} minus {b}?", "What is {a} - {b}?", "{a} - {b}", "How much is {a} minus {b}?",
         "Take {b} from {a}.", "Subtract {b} from {a}.", "Calculate {a} minus {b}.",
         "{a} minus {b}", "{a} - {b} =", "How much is {a} - {b}?", "What's {a} minus {b}?",
         "What is {a}-{b}?", "{a}-{b}"]
TIMES = ["What is {a} times {b}?", "What is {a} * {b}?", "{a} * {b}", "How much is {a} times {b}?",
         "Multiply {a} by {b}.", "What is the product of {a} and {b}?", "Calculate {a} times {b}.",
         "{a} times {b}", "{a} * {b} =", "How much is {a} * {b}?", "What's {a} times {b}?",
         "What is {a} x {b}?", "{a} x {b}", "What is {a}*{b}?", "{a}*{b}"]


def sum_fact(kind, answer, templates, a, b, value):
    fact = fact_from(kind, answer, templates, a=a, b=b, v=value)
    if a < len(tables.NUMBERS) and b < len(tables.NUMBERS):
        words = {"a": tables.NUMBERS[a], "b": tables.NUMBERS[b]}
        fact.questions.append(templates[0].format(**words))
        fact.questions.append(templates[3].format(**words))
    return fact


def arithmetic_facts():
    for a in range(13):
        for b in range(13):
            yield sum_fact("plus", "{a} plus {b} is {v}.", PLUS, a, b, a + b)
            if a <= 10 and b <= 10:
                yield sum_fact("times", "{a} times {b} is {v}.", TIMES, a, b, a * b)
    for a in range(21):
        for b in range(min(a, 10) + 1):
            yield sum_fact("minus", "{a} minus {b} is {v}.", MINUS, a, b, a - b)


AFTER = ["What {n} comes after {x}?", "Which {n} comes after {x}?", "Which {n} follows {x}?",
         "What is the {n} after {x}?", "Name the {n} after {x}.", "Tell me the {n} after {x}.",
         "What's the {n} after {x}?", "What {n} follows {x}?", "The {n} after {x} is",
         "Do you know the {n} after {x}?"]
BEFORE = ["What {n} comes before {x}?", "Which {n} comes before {x}?", "Which {n} precedes {x}?",
          "What is the {n} before {x}?", "Name the {n} before {x}.", "Tell me the {n} before {x}.",
          "What's the {n} before {x}?", "What {n} precedes {x}?", "The {n} before {x} is",
          "Do you know the {n} before {x}?"]
NTH = ["What is the {o} {n} of {w}?", "Which is the {o} {n} of {w}?", "Name the {o} {n} of {w}.",
       "Tell me the {o} {n} of {w}.", "Which {n} of {w} is the {o}?", "What's the {o} {n} of {w}?",
       "The {o} {n} of {w} is", "Do you know the {o} {n} of {w}?"]


def order_facts(noun, names, is_ring=False):
    for i, x in enumerate(names):
        if is_ring or i + 1 < len(names):
            y = names[(i + 1) % len(names)]
            yield fact_from("order", "{y} comes after {x}.", AFTER, n=noun, x=x, y=y)
            yield fact_from("order", "{y} comes before {x}.", BEFORE, n=noun, x=y, y=x)


def nth_facts(noun, names, whole):
    for o, x in zip(tables.ORDINALS, names):
        yield fact_from("order", "{x} is the {o} {n} of {w}.", NTH, n=noun, x=x, o=o, w=whole)


MONTH_DAYS = ["How many days are in {m}?", "How many days does {m} have?", "How long is {m}?",
              "How many days has {m}?", "Tell me how many days {m} has.",
              "How many days are there in {m}?", "What is the number of days in {m}?",
              "Do you know how many days {m} has?"]


def calendar_facts():
    yield from order_facts("day", tables.DAYS, is_ring=True)
    yield from order_facts("month", tables.MONTHS, is_ring=True)
    yield from order_facts("letter", tables.LETTERS)
    yield from order_facts("planet", tables.PLANETS)
    yield from order_facts("number", [str(n) for n in range(51)])
    yield from nth_facts("day", tables.DAYS, "the week")
    yield from nth_facts("month", tables.MONTHS, "the year")
    for m, days in zip(tables.MONTHS, tables.MONTH_DAYS):
        yield fact_from("order", "{m} has {d} days.", MONTH_DAYS, m=m, d=days)


OPPOSITE = ["What is the opposite of {x}?", "What's the opposite of {x}?", "Opposite of {x}?",
            "Name the opposite of {x}.", "Tell me the opposite of {x}.",
            "Which word is the opposite of {x}?", "What is the contrary of {x}?",
            "The opposite of {x} is", "Do you know the opposite of {x}?"]
PLURAL = ["What is the plural of {x}?", "What's the plural of {x}?", "Plural of {x}?",
          "Name the plural of {x}.", "Tell me the plural of {x}.", "The plural of {x} is",
          "Which word is the plural of {x}?", "Do you know the plural of {x}?"]
PAST = ["What is the past tense of {x}?", "What's the past tense of {x}?", "Past tense of {x}?",
        "Name the past tense of {x}.", "Tell me the past tense of {x}.", "The past tense of {x} is",
        "Which word is the past tense of {x}?", "Do you know the past tense of {x}?"]


def word_facts():
    for x, y in tables.rows_of(tables.OPPOSITES):
        yield fact_from("opposite", "The opposite of {x} is {y}.", OPPOSITE, x=x, y=y)
        yield fact_from("opposite", "The opposite of {x} is {y}.", OPPOSITE, x=y, y=x)
    for x, y in tables.rows_of(tables.PLURALS):
        yield fact_from("plural", "The plural of {x} is {y}.", PLURAL, x=x, y=y)
    for x, y in tables.rows_of(tables.PASTS):
        yield fact_from("past", "The past tense of {x} is {y}.", PAST, x=x, y=y)


YOUNG = ["What is a baby {x} called?", "What is a young {x} called?",
         "What do you call a baby {x}?", "What do you call a young {x}?",
         "What is the young of {x1}?", "Name the young of {x1}.",
         "Tell me what a baby {x} is called.", "Do you know what a baby {x} is called?",
         "What is the name of a baby {x}?"]
SOUND = ["What does {x1} say?", "What sound does {x1} make?", "Which sound does {x1} make?",
         "What is the sound of {x1}?", "Tell me the sound of {x1}.", "Name the sound of {x1}.",
         "What noise does {x1} make?"]
LEGS = ["How many legs does {x1} have?", "How many legs has {x1}?", "How many legs are on {x1}?",
        "Tell me how many legs {x1} has.", "Number of legs of {x1}?",
        "What is the number of legs of {x1}?", "Count the legs of {x1}."]
COLOUR = ["What colour is {x}?", "What color is {x}?", "What is the colour of {x}?",
          "What is the color of {x}?", "Which colour is {x}?", "Which color is {x}?",
          "Tell me the colour of {x}.", "Tell me the color of {x}.", "Name the colour of {x}.",
          "Which colour does {x} have?"]
SIDES = ["How many sides does {x} have?", "How many sides has {x}?", "Count the sides of {x}.",
         "Tell me how many sides {x} has.", "What is the number of sides of {x}?",
         "Number of sides of {x}?", "How many sides are on {x}?",
         "Do you know how many sides {x} has?"]
UNIT = ["How many {p} are in {x}?", "How many {p} are there in {x}?", "How many {p} does {x} have?",
        "How many {p} make {x}?", "Tell me how many {p} {x} has.", "How many {p} has {x}?",
        "What is the number of {p} in {x}?", "Do you know how many {p} {x} has?"]


def with_article(noun):
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def thing_facts():
    for x, young, sound, legs in tables.rows_of(tables.ANIMALS):
        slots = {"x": x, "x1": with_article(x), "y": with_article(young), "s": sound, "l": legs}
        yield fact_from("animal", "A baby {x} is called {y}.", YOUNG, **slots)
        yield fact_from("animal", "{x1} says {s}.", SOUND, **slots)
        yield fact_from("animal", "{x1} has {l} legs.", LEGS, **slots)
    for x, legs in tables.rows_of(tables.MORE_LEGS):
        yield fact_from("animal", "{x1} has {l} legs.", LEGS, x1=with_article(x), l=legs)
    for x, colour in tables.rows_of(tables.COLOURS):
        yield fact_from("colour", "{x} is {y}.", COLOUR, x=x, y=colour)
    for x, sides in tables.rows_of(tables.SHAPES):
        yield fact_from("unit", "{x} has {n} sides.", SIDES, x=x, n=sides)
    for x, n, part in tables.rows_of(tables.UNITS):
        yield fact_from("unit", "{x} has {n} {p}.", UNIT, x=x, n=n, p=part)


DEFINITION = ["What is {x}?", "What's {x}?", "Explain {x}.", "Tell me what {x} is.",
              "Tell me about {x}.", "What do you know about {x}?", "Can you explain {x}?",
              "Do you know what {x} is?", "Please explain {x}.", "Define {x}."]


def talk_facts():
    for x, answer in talk.DEFINITIONS.items():
        yield fact_from("definition", answer, DEFINITION, x=x)
    for answer, questions in talk.TALK.items():
        yield Fact("unknown" if answer == talk.UNKNOWN else "talk", answer, list(questions))
    for answer, questions in talk.PROJECT.items():
        yield Fact("project", answer, list(questions))


def key_of(question):
    """What is left of a question when case, spaces and closing punctuation are ignored."""
    return question.lower().replace(" ", "").rstrip("?.!=")


def hold_out(fact, rng):
    """Moves some phrasings of the fact, never the first, to its held-out list."""
    if len(fact.questions) < PHRASINGS_MIN:
        return
    if fact.kind in HELD_OUT_SHARE:
        count = round(HELD_OUT_SHARE[fact.kind] * len(fact.questions))
    else:
        count = 1 if rng.random() < HELD_OUT_ONE else 0
    first = key_of(fact.questions[0])
    for question in rng.sample([q for q in fact.questions if key_of(q) != first], count):
        fact.held_out.append(question)
        fact.questions = [q for q in fact.questions if key_of(q) != key_of(question)]


def make_facts(seed):
    """All facts; checks that no question has two answers and no held-out one is trained on."""
    rng = random.Random(seed)
    facts = [*country_facts(), *beyond_facts(), *arithmetic_facts(), *calendar_facts(),
             *word_facts(), *thing_facts(), *talk_facts()]
    answers = {}
    for fact in facts:
        for question in fact.questions:
            other = answers.setdefault(key_of(question), fact.answer)
            assert other == fact.answer, (question, other, fact.answer)
    for fact in facts:
        hold_out(fact, rng)
    trained = {key_of(q) for fact in facts for q in fact.questions}
    for fact in facts:
        assert not any(key_of(q) in trained for q in fact.held_out), fact
    return facts


def vary(question, rng):
    """The question as people type it: in another case, without its closing punctuation."""
    case = rng.random()
    if case < 0.25:
        question = question[:1].lower() + question[1:]
    elif case < 0.5:
        question = question.lower()
    if rng.random() < 0.35:
        question = question.rstrip("?.!")
    return question


def wrap(question, rng):
    """Sometimes adds a courtesy; applied to training questions only."""
    if rng.random() < 0.06:
        before, after = rng.choice([("Please tell me: ", ""), ("Please answer: ", ""),
                                    ("", " Please."), ("Hello! ", ""), ("Question: ", "")])
        question = before + question + after
    return question
