"""The words of payload fields and what they say, as data.

Rules are written in a small language over concepts: "wind speed|gust !level" holds where
*wind* and one of *speed* and *gust* are there and *level* is not.
"""

from functools import lru_cache
import re

from .words import COMPOUNDS, SYNONYMS, read_table


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


def read_rules(text: str) -> tuple[tuple[str, str], ...]:
    """Return the rules in a text, in order: what it is, a colon, what must hold.

    One stands on each line; a line that begins with "|" goes on with the one before.
    """
    joined = re.sub(r"\n\s*(?=\|)", "", text.strip())
    lines = (line.partition(":") for line in joined.split("\n"))
    return tuple((name.strip(), rule.strip()) for name, _, rule in lines)


CONCEPTS: dict[str, tuple[str, ...]] = {
    **{
        spelling: (concept,)
        for concept, spellings in SYNONYMS.items()
        for spelling in spellings.split()
    },
    **{word: tuple(concepts.split()) for word, concepts in COMPOUNDS.items()},
}

# A last word that is a unit, if one of these concepts stands before it.
_TEMPERATURES = frozenset(["temperature", "dew", "index_heat", "target"])
_VOLTAGES = word_set("""
    battery voltage analog supply phase storage solar panel pv cell input output bus dc line
""")
UNIT_WORDS: dict[str, tuple[frozenset[str], str]] = {
    "c": (_TEMPERATURES, "°C"),
    "cel": (_TEMPERATURES, "°C"),
    "deg": (_TEMPERATURES, "°C"),
    "degc": (_TEMPERATURES, "°C"),
    "f": (_TEMPERATURES, "°F"),
    "degf": (_TEMPERATURES, "°F"),
    "v": (_VOLTAGES, "V"),
    "mv": (_VOLTAGES, "mV"),
    "a": (frozenset({"current"}), "A"),
    "w": (word_set("power consumption load solar panel"), "W"),
    "lh": (frozenset({"flow"}), "L/h"),
    "kn": (frozenset({"speed", "wind", "gust"}), "kn"),
    "ms": (word_set("time duration fix interval timeout"), "ms"),
    "m": (frozenset({"distance", "level", "depth", "height", "altitude", "accuracy"}), "m"),
    "s": (word_set("time duration fix interval sleep"), "s"),
    "min": (word_set("duration time work"), "min"),
    "mins": (frozenset({"duration", "time", "work"}), "min"),
    "h": (frozenset({"duration"}), "h"),
    "g": (word_set("acceleration weight vibration orientation max mean"), "g"),
    "l": (frozenset({"volume", "water", "consumption"}), "L"),
    "pa": (frozenset({"pressure", "barometric"}), "Pa"),
    "lex": (frozenset({"illuminance"}), "lx"),
}

# ---- numbers -------------------------------------------------------------------------------
# Most specific first. A rule that contains the name's head noun wins over one that doesn't.
NUMBERS = read_rules("""
pm1: pm1 !number|um|count
pm25: pm25 !number|um|count|aqi
pm4: pm4 !number|um|count
pm10: pm10 !number|um|count|aqi
pm25: fpm
pm10: rpm_
pm1: upm
satellites: satellites
hdop: dop
accuracy: accuracy !aqi|co2|voc
accuracy: gps|position acceleration
altitude: altitude
snr: snr
rssi: rssi
rssi: signal strength !radio|received
heart_rate: heart
blood_oxygen: blood oxygen
body_temperature: body temperature
wind_direction: wind direction|angle|heading|deg
wind_gust: gust
heat_index: wind chill
wind_speed: wind speed|mean|max|min|last !level
wind_speed: wind !level|status|scale|pressure|temperature|humidity|power|voltage|position|open
  |closed|valve|actuator|count|fault
precipitation_intensity: rain rate|intensity|per
precipitation: rain !status|count|pulse|alarm|level|snow|detect
snow_depth: snow depth|level|height|distance !rain
uv_index: uv index
uv_index: uv !temperature
par: par
irradiance: solar|sun irradiance|intensity|light !battery|panel|voltage|charging|current
irradiance: irradiance !par|white|temperature|voltage|battery|current|power|noise|charging
power_factor: power factor
power_factor: cos phi
temperature_delta: differential temperature
temperature_delta: trend temperature
apparent_energy: apparent energy
reactive_energy: reactive energy
reactive_power: reactive power
apparent_power: apparent power
energy: energy index
energy: energy !storage|harvesting|level
charge: current hour
power: power !hour|consumption|level
power: demand !heat|heating|cooling|valve|cool
energy: electricity !power|voltage|current
battery_voltage: battery voltage
battery_voltage: storage voltage
current: total current line|phase
current: current !hour|total|battery|position|status|mode|valve|direction|level|value|volume|count
  |people|weight|flow|tariff|thd|time|temperature|humidity|voltage|pressure|distance|speed
  |fft|spectrum|echo|signal|noise
water_potential: soil|water|moisture potential
water_potential: soil pressure
differential_pressure: differential pressure
pressure: water|vapor|oil|tank|inlet|outlet|line|sensor|hydraulic|pipe pressure
atmospheric_pressure: barometric pressure !differential
atmospheric_pressure: barometric !temperature|differential
atmospheric_pressure: air pressure
dew_point: dew
heat_index: index_heat
heat_index: heat index
resistance: resistance
target_temperature: target temperature
target_temperature: set temperature
temperature: temperature ph|turbidity|orp|salinity
soil_temperature: soil temperature
water_temperature: water temperature
temperature: temperature !resistance|count|voltage
temperature: roomtemp
carbon_dioxide: co2
carbon_dioxide: carbon dioxide
carbon_monoxide: carbon monoxide
nitrogen_dioxide: nitrogen dioxide
sulphur_dioxide: sulphur|sulfur dioxide
carbon_monoxide: co !count
aqi: voc index
volatile_organic_compounds_parts: voc
aqi: aqi !accuracy
aqi: air quality index
aqi: air quality !status|level
formaldehyde: hcho
hydrogen_sulphide: h2s
ammonia: nh3
nitrogen_dioxide: no2
ozone: o3
sulphur_dioxide: so2
methane: ch4
hydrogen: h2
radon: radon
dissolved_oxygen: dissolved oxygen
dissolved_oxygen: do
oxygen: oxygen
turbidity: turbidity
salinity: salinity
dissolved_solids: solids
orp: orp
ph: ph
conductivity: ec
nitrogen: nitrogen
phosphorus: phosphorus
potassium: potassium
nitrogen: soil n
phosphorus: soil p
potassium: soil k
leaf_wetness: leaf moisture|wetness|humidity
soil_moisture: soil moisture|water|wc|humidity
moisture: moisture
absolute_humidity: absolute humidity
humidity: humidity
illuminance: illuminance !color|red|green|blue|white|r|g|b|w|flicker|scene|duration|infrared
  |guide|visible_ir
sound_pressure: noise !rate|alarm|signal|volume
water_level: water level !leak
water_level: water depth
fill_level: fill !distance
distance: distance !signal
distance: length !payload|frame
distance: depth !sleep
distance: height
particles: particles
vibration_speed: vibration|x|y|z speed
acceleration: acceleration !rain|energy|volume|flow|water|power
rotation_rate: gyro
acceleration: orientation x|y|z
heading: heading
angle: angle
angle: tilt !count
angle: orientation !x|y|z
speed: speed !actuator|fan|heat|level
water: water flow value|total
volume: total flow !rate
volume_flow_rate: flow !sap|back|continuous|no|temperature|sensor|consumption|index|supply|count
  |pulse
water: water consumption|volume|total|meter
gas: gas consumption|volume|meter
volume: volume !noise
volume: meter total|index
volume: consumption volume|flow|reflux|hot|cold
weight: weight
frequency: frequency !band
valve_position: valve position|openness|open|percent
pressure: pressure !blood
people: people
supply_voltage: supply voltage !last
voltage: voltage !soil|thd|harmonic|harmonics|unbalance|imbalance|ratio|status
""")

# Quantities by the full name of a field, where its words say too little for rules.
BY_FULL_NAME = read_table("""
t: temperature
p: atmospheric_pressure
h: humidity
ppm: carbon_dioxide
db: sound_pressure
rh: humidity
i_rms: current
v_rms: voltage
dp: differential_pressure
n: nitrogen
mv: voltage
k: potassium
base: energy
vol: voltage
setpoint: target_temperature
heatingsetpoint: target_temperature
coolingsetpoint: target_temperature
no: nitrogen_monoxide
fpm: pm25
""")

# The word before others: tRoot, T_Root; wc_Root isn't there.
LEADING: dict[str, str] = {"t": "temperature", "v": "voltage"}

# ---- heads: the last word that means something decides what kind of thing a name is ----
QUALIFIERS = word_set("""
    channel phase value sensor max min mean last total daily external board high low axis air
    water soil leaf room body line import export tariff percent return supply gps active
    ambient inside indoor relative absolute meter target frame data root top bottom middle
    left right front back red black white green blue tank measured mg chip weeks semesters
    days hours minutes
""")
COUNT_HEADS = frozenset(["count", "pulse", "times", "step", "people"])
CODE_HEADS = word_set("status code flag mode type event")
PLAIN_HEADS = word_set("""
    ratio raw code flag quality id number index factor class group mask scale fan speed_level
    calories stress area rri flicker octave good type mode event gasresistance valid tariff
    trend price cost costs preis prix forecast score rating grade rank health saving savings
    hardness budget
""")

# ---- true or false ----
FLAGS = read_rules("""
battery_low: battery low|end|alarm|fault|outage
battery_low: low voltage !threshold|phase|line|input|output|bus|grid|ac|too|under
battery_low: storage low
battery_low: low power
battery_charging: charging !fully|time|voltage|current|cycle|full
fault: fault
fault: timeout
problem: open|short circuit
problem: low|high|over|under voltage
problem: hazard
fault: bad
problem: no beacon|encoder|response|consumption|fix|sensor|signal|flow|connection|link
problem: back|reverse|continuous|continous flow
problem: output|external|above|below|beyond|over|under|exceed range|threshold !alarm
problem: exceed
problem: high|low consumption
problem: hammer
alarm: threshold
tamper: tamper
tamper: cover open|alarm|status
smoke: smoke !chamber
fire: fire
occupancy: parking status|alarm|free|vacant|available
leak: leak !level|threshold|gas|pulse
leak: flood
condensation: condensation
leak: water detect|status|alarm|presence|contact !level
leak: wet|wetness !leaf|level
gas_detected: gas detect|alarm|leak|status !valve|volume|meter
carbon_monoxide_detected: co alarm
safety: sos
safety: man down
cold: freeze !protection
heat: heat !index
heat: over temperature
cold: under temperature
problem: over|under pressure|humidity|level|speed|load|power
problem: dry running
alarm: alarm
alarm: high|low temperature|humidity|co2|voc|current|flow|pressure|voltage|level !status
window: window
door: door !lock
garage_door: garage
child_lock: child lock
lock: lock !child
valve: valve !online
opening: contact
opening: exti status
opening: open
opening: closed
occupancy: occupancy
external_power: external power
external_power: supply presence|status|power
presence: presence
motion: motion !temperature
moving: moving
moving: in trip
vibration: vibration
tilt: tilt
power_outage: outage
plug: plug
connectivity: online !sensor|temperature
leak: water
leak: moisture
running: running !mode
digital_output: digital output|out
digital_input: digital input|in
digital_output: relay
button_state: button !press|id|number
""")
# About these a name says enough wherever they stand in it.
STRONG_FLAGS = frozenset(
    {"fault", "problem", "tamper", "leak", "smoke", "battery_low", "condensation", "safety"}
)
# Flags that 0, 1 or no value at all are taken for, where the name says that they are one.
OVERHEAD = frozenset(["payload", "crc", "mac"])
SURE_FLAGS = word_set("""
    battery_low battery_charging tamper leak condensation fault smoke alarm safety cold fire
    gas_detected carbon_monoxide_detected window door garage_door opening valve occupancy
    presence motion moving lock heat connectivity digital_input digital_output power_outage
    plug external_power vibration running problem button_state
""")
# In a name like "door closed" or "free parking space" true is the opposite of on.
_SHUT = word_set("closed close ferme geschlossen cerrado shut")
_FREE = word_set("vacant vacancy free undetected")
INVERTED_WORDS: dict[str, frozenset[str]] = {
    "door": _SHUT,
    "window": _SHUT,
    "garage_door": _SHUT,
    "opening": _SHUT,
    "valve": _SHUT,
    "occupancy": _FREE,
    "presence": _FREE,
    "leak": frozenset(["dry"]),
    "motion": frozenset(["undetected"]),
    "smoke": frozenset(["undetected"]),
}


# ---- settings, overhead, identity ----
# Any of these anywhere makes a field a setting that the device repeats back.
SETTING_RULES = read_rules("""
threshold: threshold
interval: cycle send|report|transmit|join|frame
interval: interval !rain|pulse|count|people|output|in|energy|volume|consumption
timeout: timeout !status
configuration: config
calibration: calibration !status
enable: enable
retry: retry
schedule: schedule
adr: adr
keep alive: keepalive
keep alive: keep alive
time step: time step
dead zone: dead zone
rate: rate value|report|sensor|frame|data|scan
sampling: sampling rate|time|duration|per
confirmed: confirmed !fault
join: join mode|type|interval|retry|trigger
spreading factor: spreading
range: range !distance|value|out
change of value to report: differential humidity|co2|illuminance|battery
change of value to report: change report|temperature|humidity|co2|barometric|illuminance|angle
  |pressure|battery
limited time: min|max time|report|number
mode of trigger: trigger mode|time|range|count_|angle|level|source|calibration|duration
signal: alarm signal|noise duration|signal|trigger|type|volume|dryness|moisture|water
LED: led mode|brightness|intensity|illuminance
report: report !previous|time|value|tamper|alarm|leak|motion|door
alarm setting: alarm time|duration|mode|current|voltage|number|max|min
command: config ack
mode: running|work|working|reporting|report|send|joining mode
wake-up: wakeup|wake|sleep time|duration|number|mode
default: preset
display: displayed illuminance|mode
night mode: night mode
buzzer: buzzer|beep mode|volume
multiplier: transformer
default: fallback
""")
# Full names of settings.
SETTING_NAMES = word_set("""
    ctratio ptratio nbtrans rxdelay hb dr sf loradr lora_dr timezone tz utcoffset adrmode
    classmode confirmmode lorawanclassmode adr tdc vt mode_config wdt lpm txpower loratxpower
    class_ uplinktype cfgstatus
""")
# Full names of what the decoder adds, and of bookkeeping.
OVERHEAD_NAMES = word_set("""
    fport port bytes raw payload hex crc checksum mac uuid devaddr deveui appeui joineui ack
    acktoken vif dif ct func opcode datalength datalen payloadlen payloadlength payloadsize
    payloadformat framelength ackrequest ackrequested sequencenumber seq fcnt cmdid report
    endpoint clusterid attributeid decodinginfo header errors warnings_ messagetype_ datatype_
    zclheader redundancy_ uid macaddr preamble devid b64 base64 decryptionkey packetid msgid
    payloadtype payloadlength payloadvariant payloadcounter type protocolversion_ major_
    minor_ frameid rawdata rawpayload reserved rfu spare padding measurementid rawhex
    hexstring hexraw crcok crcvalid deviceeui devicejoineui gatewayeui networkid netid
    applicationid protocolid commandid idx
""")
UNIT_NAMES = word_set("unit units uom engunits displayname unitofmeasurement")
# Full names, or last words, of what the device is.
IDENTITY = frozenset(["version", "serial", "model", "decoder", "id"])

# The schema of The Things Stack: path -> quantity and unit.
NORMALIZED: dict[str, tuple[str, str | None]] = {
    path: (what.split()[0], what.split()[1] if " " in what else None)
    for path, what in read_table("""
air.temperature: temperature °C
air.relativeHumidity: humidity %
air.pressure: atmospheric_pressure hPa
air.co2: carbon_dioxide ppm
air.lightIntensity: illuminance lx
wind.speed: wind_speed m/s
wind.direction: wind_direction °
soil.moisture: soil_moisture %
soil.temperature: soil_temperature °C
soil.ec: conductivity mS/cm
soil.depth: distance cm
soil.pH: ph
soil.n: nitrogen ppm
soil.p: phosphorus ppm
soil.k: potassium ppm
battery: battery_voltage V
rain.intensity: precipitation_intensity mm/h
rain.cumulative: precipitation mm
water.leak: leak
water.temperature.min: water_temperature °C
water.temperature.max: water_temperature °C
water.temperature.avg: water_temperature °C
water.temperature.current: water_temperature °C
metering.water.total: water L
action.motion.detected: motion
action.motion.count: count
action.contactState: opening
position.latitude: position
position.longitude: position
""").items()
}
OPTIONS: dict[str, tuple[str, ...]] = {"air.location": ("indoor", "outdoor")}


class Rule:
    """A rule of this module, ready to be asked."""

    __slots__ = ("name", "needs", "never", "text")

    def __init__(self, name: str, text: str) -> None:
        """Read a rule: words that must be there, alternatives by bars, exceptions after "!"."""
        self.name = name
        self.text = text
        must, _, never = text.partition("!")
        self.needs = tuple(frozenset(term.split("|")) for term in must.split())
        self.never = frozenset(never.replace("|", " ").split())

    def match(self, concepts: frozenset[str]) -> frozenset[str] | None:
        """Return the concepts that this rule is about, or None where it doesn't hold."""
        found: set[str] = set()
        for term in self.needs:
            here = term & concepts
            if not here:
                return None
            found |= here
        return None if self.never & concepts else frozenset(found)


@lru_cache(maxsize=1024)
def holding(
    rules: tuple[Rule, ...], concepts: frozenset[str]
) -> tuple[tuple[Rule, frozenset[str]], ...]:
    """Return the rules that hold, each with what it is about.

    Kept, since end devices of one model have the same names.
    """
    return tuple((rule, found) for rule in rules if (found := rule.match(concepts)) is not None)


NUMBER_RULES = tuple(Rule(*rule) for rule in NUMBERS)
FLAG_RULES = tuple(Rule(*rule) for rule in FLAGS)
SETTING = tuple(Rule(*rule) for rule in SETTING_RULES)
