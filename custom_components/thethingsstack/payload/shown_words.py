"""How the words of names are shown."""

from .words import read_table

# How a concept reads, where its own key doesn't: for words taken out of compounds and
# abbreviations.
DISPLAY = read_table("""
board: internal
last: current
index_heat: heat index
mean: average
percent: percentage
co2: CO2
ec: EC
ph: pH
gps: GPS
id: ID
rssi: RSSI
snr: SNR
air: air
daily: today
voc: VOC
uv: UV
""")

# Abbreviations that names keep spelled out; everything else stays as the device wrote it.
SPELLED_OUT = read_table("""
temp: temperature
tem: temperature
temps: temperature
hum: humidity
humi: humidity
bat: battery
batt: battery
volt: voltage
avg: average
cnt: count
num: number
ch: channel
chan: channel
pos: position
dist: distance
freq: frequency
temperatur: temperature
cfg: configuration
err: error
mod: mode
btn: button
fw: firmware
hw: hardware
sw: software
ver: version
press: pressure
acc: acceleration
accel: acceleration
ext: external
int: internal
amb: ambient
vib: vibration
msg: message
mot: motion
occu: occupancy
in: in
illum: illuminance
lum: luminosity
dev: device
curr: current
alt: altitude
lat: latitude
lon: longitude
lng: longitude
sats: satellites
gps: GPS
rssi: RSSI
snr: SNR
id: ID
led: LED
co2: CO2
voc: VOC
tvoc: TVOC
ec: EC
ph: pH
uv: UV
usb: USB
nfc: NFC
ble: BLE
pm1: PM1
pm25: PM2.5
pm4: PM4
pm10: PM10
aqi: AQI
iaq: IAQ
adc: ADC
npk: NPK
tds: TDS
orp: ORP
sos: SOS
pir: PIR
gnss: GNSS
channels: channel
sensors: sensor
inputs: input
outputs: output
zones: zone
ports: port
phases: phase
probes: probe
temperatures: temperature
""")
