"""Tables of facts the demo model learns. Plain common knowledge, written down by hand."""

# country:capital:continent
COUNTRIES = """
France:Paris:Europe, Germany:Berlin:Europe, Italy:Rome:Europe, Spain:Madrid:Europe,
Portugal:Lisbon:Europe, the Netherlands:Amsterdam:Europe, Belgium:Brussels:Europe,
Switzerland:Bern:Europe, Austria:Vienna:Europe, Poland:Warsaw:Europe, Hungary:Budapest:Europe,
Slovakia:Bratislava:Europe, Slovenia:Ljubljana:Europe, Croatia:Zagreb:Europe,
Serbia:Belgrade:Europe, Romania:Bucharest:Europe, Bulgaria:Sofia:Europe, Greece:Athens:Europe,
Albania:Tirana:Europe, Ireland:Dublin:Europe, the United Kingdom:London:Europe,
Iceland:Reykjavik:Europe, Norway:Oslo:Europe, Sweden:Stockholm:Europe, Finland:Helsinki:Europe,
Denmark:Copenhagen:Europe, Estonia:Tallinn:Europe, Latvia:Riga:Europe, Lithuania:Vilnius:Europe,
Ukraine:Kyiv:Europe, Malta:Valletta:Europe, Liechtenstein:Vaduz:Europe,
Japan:Tokyo:Asia, China:Beijing:Asia, India:New Delhi:Asia, South Korea:Seoul:Asia,
Mongolia:Ulaanbaatar:Asia, Vietnam:Hanoi:Asia, Thailand:Bangkok:Asia, Laos:Vientiane:Asia,
Cambodia:Phnom Penh:Asia, Malaysia:Kuala Lumpur:Asia, Indonesia:Jakarta:Asia,
the Philippines:Manila:Asia, Nepal:Kathmandu:Asia, Bhutan:Thimphu:Asia, Bangladesh:Dhaka:Asia,
Pakistan:Islamabad:Asia, Afghanistan:Kabul:Asia, Iran:Tehran:Asia, Iraq:Baghdad:Asia,
Jordan:Amman:Asia, Lebanon:Beirut:Asia, Saudi Arabia:Riyadh:Asia, Oman:Muscat:Asia,
Qatar:Doha:Asia, Turkey:Ankara:Asia, Uzbekistan:Tashkent:Asia, Kazakhstan:Astana:Asia,
Egypt:Cairo:Africa, Morocco:Rabat:Africa, Algeria:Algiers:Africa, Tunisia:Tunis:Africa,
Libya:Tripoli:Africa, Sudan:Khartoum:Africa, Ethiopia:Addis Ababa:Africa, Kenya:Nairobi:Africa,
Uganda:Kampala:Africa, Rwanda:Kigali:Africa, Ghana:Accra:Africa, Nigeria:Abuja:Africa,
Senegal:Dakar:Africa, Mali:Bamako:Africa, Zambia:Lusaka:Africa, Zimbabwe:Harare:Africa,
Angola:Luanda:Africa, Namibia:Windhoek:Africa, Botswana:Gaborone:Africa,
Mozambique:Maputo:Africa, Madagascar:Antananarivo:Africa, Somalia:Mogadishu:Africa,
the United States:Washington:North America, Canada:Ottawa:North America,
Mexico:Mexico City:North America, Cuba:Havana:North America, Jamaica:Kingston:North America,
Guatemala:Guatemala City:North America, Panama:Panama City:North America,
Costa Rica:San Jose:North America, Honduras:Tegucigalpa:North America,
Brazil:Brasilia:South America, Argentina:Buenos Aires:South America,
Chile:Santiago:South America, Peru:Lima:South America, Colombia:Bogota:South America,
Venezuela:Caracas:South America, Ecuador:Quito:South America, Uruguay:Montevideo:South America,
Paraguay:Asuncion:South America, Australia:Canberra:Oceania, New Zealand:Wellington:Oceania,
Fiji:Suva:Oceania, Samoa:Apia:Oceania
"""

# other names of some of them
SHORT_NAMES = "the UK:London:Europe, the USA:Washington:North America, England:London:Europe"

# word:opposite, asked in both directions
OPPOSITES = """
hot:cold, big:small, up:down, left:right, day:night, black:white, good:bad, old:new, fast:slow,
high:low, open:closed, full:empty, happy:sad, rich:poor, strong:weak, hard:soft, wet:dry,
early:late, long:short, thick:thin, wide:narrow, deep:shallow, heavy:light, clean:dirty, loud:quiet,
easy:difficult, true:false, inside:outside, above:below, before:after, first:last, near:far,
on:off, in:out, yes:no, always:never, all:none, more:less, begin:end, buy:sell, give:take,
push:pull, win:lose, love:hate, laugh:cry, come:go, sit:stand, remember:forget, war:peace,
life:death, north:south, east:west, top:bottom, front:back, summer:winter, sharp:blunt,
sweet:sour, safe:dangerous, brave:afraid, polite:rude, question:answer, friend:enemy,
smooth:rough, tall:tiny, young:aged, asleep:awake, ancient:modern, calm:wild, cheap:expensive
"""

# animal:young:sound:legs
ANIMALS = """
dog:puppy:woof:four, cat:kitten:meow:four, cow:calf:moo:four, sheep:lamb:baa:four,
horse:foal:neigh:four, pig:piglet:oink:four, goat:kid:maa:four, lion:cub:roar:four,
hen:chick:cluck:two, duck:duckling:quack:two, goose:gosling:honk:two, owl:owlet:hoot:two,
frog:tadpole:croak:four, wolf:pup:howl:four, donkey:foal:hee-haw:four, elephant:calf:trumpet:four,
mouse:pup:squeak:four, tiger:cub:growl:four, pigeon:squab:coo:two, bear:cub:grunt:four
"""

# animal:legs, where the table above has none
MORE_LEGS = """
spider:eight, ant:six, bee:six, beetle:six, crab:ten, fish:no, snake:no, swan:two, penguin:two,
rabbit:four, butterfly:six, camel:four, scorpion:eight, lobster:ten
"""

# thing:colour
COLOURS = """
grass:green, the sky:blue, snow:white, coal:black, blood:red, a lemon:yellow, a banana:yellow,
a tomato:red, a carrot:orange, milk:white, chocolate:brown, a frog:green, a flamingo:pink,
an elephant:grey, the sun:yellow, a strawberry:red, a pea:green, a plum:purple, a crow:black,
a polar bear:white, an orange:orange, a cherry:red, a cucumber:green, salt:white, gold:yellow,
silver:grey, a ruby:red, an emerald:green, a sapphire:blue, ink:black, a fire engine:red,
a pumpkin:orange, a leaf:green, the sea:blue, a mole:black, sand:yellow, lavender:purple, mud:brown
"""

# singular:plural
PLURALS = """
mouse:mice, child:children, man:men, woman:women, foot:feet, tooth:teeth, goose:geese, ox:oxen,
sheep:sheep, fish:fish, deer:deer, person:people, leaf:leaves, knife:knives, wife:wives, life:lives,
wolf:wolves, half:halves, shelf:shelves, loaf:loaves, city:cities, baby:babies, lady:ladies,
story:stories, party:parties, box:boxes, fox:foxes, bus:buses, glass:glasses, dish:dishes,
church:churches, watch:watches, tomato:tomatoes, potato:potatoes, hero:heroes, cat:cats, dog:dogs,
book:books, house:houses, tree:trees, car:cars, day:days, boy:boys, girl:girls, key:keys,
bird:birds,
apple:apples, table:tables, chair:chairs, window:windows, river:rivers, cactus:cacti, cow:cows,
horse:horses, star:stars, flower:flowers
"""

# verb:past tense
PASTS = """
go:went, be:was, have:had, do:did, see:saw, eat:ate, drink:drank, write:wrote, read:read, run:ran,
swim:swam, sing:sang, fly:flew, give:gave, take:took, make:made, come:came, know:knew,
think:thought,
buy:bought, bring:brought, catch:caught, teach:taught, find:found, keep:kept, sleep:slept,
feel:felt,
leave:left, lose:lost, send:sent, spend:spent, build:built, sit:sat, stand:stood, win:won,
speak:spoke,
break:broke, choose:chose, drive:drove, ride:rode, fall:fell, grow:grew, throw:threw, draw:drew,
begin:began, forget:forgot, get:got, hold:held, meet:met, pay:paid, say:said, sell:sold, tell:told,
wear:wore, walk:walked, play:played, work:worked, jump:jumped, open:opened, laugh:laughed
"""

# whole:many:part
UNITS = """
a minute:60:seconds, an hour:60:minutes, a day:24:hours, a week:7:days, a year:12:months,
a century:100:years, a decade:10:years, a millennium:1000:years, a kilometre:1000:metres,
a metre:100:centimetres, a centimetre:10:millimetres, a kilogram:1000:grams, a dozen:12:things,
a byte:8:bits, a kibibyte:1024:bytes, a litre:1000:millilitres, a fortnight:14:days
"""

# shape:sides
SHAPES = """
a triangle:three, a square:four, a rectangle:four, a pentagon:five, a hexagon:six, a heptagon:seven,
an octagon:eight, a nonagon:nine, a decagon:ten
"""

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = ("January February March April May June July August September October November "
          "December").split()
MONTH_DAYS = "31 28 31 30 31 30 31 31 30 31 30 31".split()
PLANETS = "Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune".split()
ORDINALS = ("first second third fourth fifth sixth seventh eighth ninth tenth eleventh "
            "twelfth").split()
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NUMBERS = ("zero one two three four five six seven eight nine ten eleven twelve").split()


def rows_of(table):
    """The rows of a table as lists of columns."""
    return [row.strip().split(":") for row in table.replace("\n", " ").split(",") if row.strip()]
