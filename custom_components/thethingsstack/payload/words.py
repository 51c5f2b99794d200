"""The words of payload fields, as data: which concept a spelling stands for.

A table is a text: a line for each key, a colon, and what belongs to it; a line that begins
with a space goes on with the one before.
"""


def read_table(text: str) -> dict[str, str]:
    """Return a table's keys, and what stands behind each; raises ValueError for a key twice."""
    table: dict[str, str] = {}
    key = ""
    for line in text.strip("\n").split("\n"):
        if line.startswith(" "):
            table[key] += " " + line.strip()
        else:
            key, _, rest = line.partition(":")
            if key in table:
                raise ValueError(f"{key} stands in the table twice")
            table[key] = rest.strip()
    return table


# concept: spellings (all languages, typos and abbreviations that devices really send)
SYNONYMS = read_table("""
temperature: lampotila temperatury teploty hofok vorlauftemperatur ruecklauftemperatur
  temperaturen temp temps tem temperature temperatures temperatur temperatura tempera tmp tempr
  tmpr temprature temparature temperatuur temperatures therm thermometer thermocouple thermistor
  ntc ds18b20 ds18 tmp117 tmp36 tmp102 pt100 pt1000 rtd lampotila teplota celsius teplotni celcius
chip: sht sht20 sht30 sht31 sht3x sht40 sht41 sht4x sht35 bme280 bme680 bmp280 scd30 scd40
humidity: kosteus fugtighed luftfuktighet luftfugtighed vlaga hum humi humid humidity humidite
  humedad humidade umidita umidade feuchte feuchtigkeit luftfeuchte luftfeuchtigkeit
  luchtvochtigheid vochtigheid rh rhum relhum hygro humidities hygrometry hygrometrie hygrometer humd humdity
  vlhkost wilgotnosc fuktighet
moisture: soilmoist bodemvocht moisture moist vwc bodenfeuchte bodenfeuchtigkeit theta
  watercontent
wetness: wetness wet
battery: akumulator akkustand batteriladdning accustand bat batt battery batterie bateria batteria
  akku accu batterij batery baterie accumulator batteri batterystatus pile batlevel btry
voltage: napiecie napeti volty voltaggio spaenning volt volts voltage voltages spannung tension
  voltaje tensione spanning tensao volatge voltag vltg
current: prad proud courants current currents curr courant strom corriente corrente stroom amp
  amps ampere amperes amperage
power: vykon effekt puissances power powers pow puissance leistung potencia potenza vermogen watt
  watts wattage
energy: wirkarbeit wirkenergie energija energy energie energia enery energies
pressure: cisnienie tlak tryck paine tryk presiune pressure press pres pression druck presion
  pressione druk pressao prs pressures
barometric: luchtdruk lufttryck lufttryk baro barometer barometric atm atmospheric atmosphere
  atmos atomsphere atmosphaere luftdruck qnh qfe barometrische atmospherique atmosferica
  sealevelpressure
differential: differential diff delta differentielle diferencial differenz difference differentiel
illuminance: luce svetlo swiatlo ljus lys iluminacion luminosidade illuminanza verlichting
  lichtsterkte beleuchtungsstaerke ambientlight light lights illuminance illumination illum
  illuminence lux lx luminosity luminance brightness lumiere helligkeit luz lum lumens licht
  luminosite iluminancia luminosidad als illuminace lumen
irradiance: radiacion radiacao radiazione straling zonnestraling strahlung irr ghi globalradiation
  solarradiation rayonnement irradiance radiation
  pyranometer globalstrahlung irradiation pyrano
co2: co2e co2 eco2 co2eq carbondioxide eqco2 kohlendioxid
co: carbonmonoxide co
voc: volatile bvoc voci tvoceq voc tvoc cov tvocs vocs evoc covt tcov
aqi: iaq aqi eaqi siaq airquality caqi
hcho: hcho ch2o formaldehyde formaldehyd
particles: particulates particle particles particulate dust pm
noise: rumore halas hluk sonore noise sound decibel decibels loudness schall bruit laeq lamax spl
  leq laerm geluid ruido acoustic
solar: solar zonnepaneel zonnepanelen photovoltaik
distance: prox proxx vzdalenost odleglosc entfernung distanza distance dist distances distanz abstand
  distancia afstand ultrasonic tof range_mm dis proximity lidar ranging
level: poziom hladina level levels niveau pegel fuellstand nivel livello peil fullstand niveaux
  lvl
depth: depth deep tiefe profondeur snow_depth profundidad diepte
height: altezza hohe height hoehe hauteur altura hoogte
fill: fillstate vulling llenado fill filling fillrate filllevel fillpercentage fullness
  remplissage full
altitude: altitude alt elevation altitud
latitude: latitude lat latitud breitengrad latt latdeg
longitude: longitude lon long lng longitud laengengrad
accuracy: accuracy acc_m ehpe hacc hpe epe eph precision horizontalaccuracy precisionm uncertainty
dop: hdop pdop dop vdop
satellites: sats satellites sat satellite numsat satnum satcount siv nsat satellitescount svs
speed: hastighet hastighed velocita velocidade predkosc rychlost speed velocity sog speedkmph speedkph vitesse
  geschwindigkeit velocidad snelheid spd
heading: heading course cog bearing track hdg azimuth
direction: direzione direcao kierunek smer direction dir richtung direccion richting directions
gps: gps gnss geolocation
position: position location coordinates coordinate coord coords pos geo latlng latlon latlong
  posicion lage ubicacion
wind: vento wiatr vitr vind wind vent viento anemometer
gust: rafale rafaga raffica windboe gust gusts boe
rain: pioggia chuva deszcz regn niederschlagsmenge regenmenge pluviometrie lluvias rain rainfall
  precipitation precip pluie regen niederschlag lluvia pluviometer pluvio rainfalls raingauge
  neerslag precipitacion precipitacao precipitazione opady nederbord
snow: neve nieve snow schnee neige
uv: uv uva uvb
soil: solo suolo terreno bodem gleba puda soil ground boden sol suelo soli soild bodem terra
  substrate
leaf: leaves foglia folha hoja blad leaf blatt feuille foliar canopy
air: lucht air luft aire ambient amb ambiant umgebung ambiance environment environmental aria
water: water wasser eau agua acqua voda woda
ec: ec conductivity conduct cond leitfaehigkeit conductivite conductividad conductance ecw eca
  bulkec
ph: ph
orp: orp redox eh
turbidity: turbidity turb ntu turbidite fnu
oxygen: oxygen o2 sauerstoff oxigen
salinity: salinity salt salinite
solids: tds solids
nitrogen: nitrogen
phosphorus: phosphorus phosphor phosphorous
potassium: potassium kalium
count: licznik pocitadlo contatore conteggio zaehlwert count counter counters counts cnt compteur
  zaehler zahler contador compte cntr counting ctr numof nbr anzahl nombre teller conteo
pulse: pulse pulses impulse impulses puls impuls imp impulsions pulsecount tick ticks tips
times: times trips activations cycles occurrences presses clicks changes
total: total totals sum gesamt cumulative cumulated cumul totalizer accumulated accumulation
  totalized summation totalizador cumulate acc_total
step: step steps schritte
people: people person persons visitors passengers pax persones footfall
index: index idx zaehlerstand
door: dorr drzwi dvere ajto door tur tuer tuere porte puerta porta deur doors
window: finestra janela okno raam window fenster fenetre ventana
garage: garage
contact: contact contacts reed magnet magnetic kontakt contacto hall magnetism reedswitch
  magnetswitch
open: aperto aperta aberto aberta otevreno otwarte open opened opening ouvert ouverture offen
  geoeffnet abierto opens openings apertura
closed: chiuso chiusa fechado fechada zavreno zamkniete fermee gesloten closed close ferme
  geschlossen cerrado shut
valve: valve valv ventil vanne valvula valves klep
leak: perdita vazamento wyciek unik leckage leakalarm leak leakage fuite leck leaking leaks fuga
  leakag lekkage lek leakdetected
flood: flood flooding ueberschwemmung inundation
condensation: condensation betauung dewing condensing
tamper: tamper tampered tampering removal removed manipulation demolish disassembled dismantled
  dismount sabotage antidemolition cut_off detached antitamper vandalism theft teardown
  tamperdetected casing_open
motion: movimento ruch pohyb rorelse bewegungserkennung motion pir bewegung mouvement movimiento
  movement mot bewegungsmelder movements beweging motiondetected motionst
moving: moving moved move inmotion inmovement inmove transport accelerated intrip
occupancy: ocupado ocupacion bezetting occupancy occupied occupy occu belegt occupation occupe occ
  vacancy vacant bezet occupant
presence: presenza presenca obecnosc presence present praesenz presencia anwesenheit aanwezigheid
smoke: fumo dym kour smoke rauch fumee humo rook
fire: fire feuer
sos: sos panic emergency mandown fall emerg alarmbutton duress
lock: lock locked schloss
child: child kinder
vibration: wibracje vibrace vibracao vibrazione trilling vibration vib vibrations shock vibrating
  vibrate shake impact erschuetterung vibracion
tilt: tilt tilted inclined neigung tilting tilts inclination incline inclinometer
charging: charging charge charger laden charged ladung recharge
freeze: freeze freezing frost frozen frozing
heat: overheat overheating heat
button: button buttons taster btn pushbutton knopf keypress pushbtn bouton boton
press: pressed pushed clicked press_event click doubleclick singleclick longpress gesture
key: key keys
scene: scene
plug: plug plugged cable unplugged
relay: relay relais relays switch rele
digital: digital di din dig do dout gpio dio
analog: analog analogue adc ana ain ai aio anlg analogic analoginput adcraw
input: input inputs entree intput inp eingang entrada ingang
output: output outputs sortie ausgang salida out uitgang
alarm: allarme alarmy alerta alarm alarms alert alerts warning warn alerte alarma alarme warnung
  alrm alerm waarschuwing
fault: loss overflow blocked obstruction obstructed jammed stuck overheated abnormal abnormality
  anomaly defective malfunctioning fault faults watchdog error errors err failure failures fail
  failed broken malfunction fehler erreur stoerung defect defekt defaut failsafe inconsistency badencoder
  fouled storing nousage meternoresponse noencoder brownout obstacle inactivity faulty covered
  dirty
hazard: fraud backflow burst brokenpipe continuousflow continousflow overvoltage undervoltage
  overcurrent overload
parking: parking parked park
status: status state stat statut zustand estado stato states statuses etat
code: byte code codes cause reason raison codigo errorcode cot
flag: flag flags bitmap bitmask bits mask bitfield eventflags
mode: mode modus modes operatingmode
type: type typ types kind tipo
event: event notification notifications notice events ereignis evenement evento
version: version ver vers firmware fw hardware hw software sw bootloader revision rev
  firmwareversion fwversion hwversion release fwver swver build git
serial: serial sn serialnumber seriennummer serialno imei imsi iccid meterid sernum deviceserial
  meternumber
model: model modell manufacturer vendor brand product sku
signal: signal
rssi: rssi
snr: snr lsnr
strength: strength
quality: quality qualite
network: network lorawan lora wifi ble nfc bluetooth
scan: scan scans scanned
txpower: txpower txpow txpwr loratxpower
time: time timestamp timestamps unix utc date datetime horodatage systimestamp isotime unixtime
  epoch clock zeit datum hora fecha timestam stamp ts systime rtc localtime zeitstempel tst tstamp
  devicetime synctime
duration: duration elapsed age uptime runtime ontime offtime dauer runningtime worktime
  workingtime dwell duree lifetime operatinghours runhours operatingtime laufzeit upsince
  workingduration life
frequency: freq frequency frequence frequenz frecuencia
factor: factor facteur faktor
resistance: resistance resistor ohms impedance ohm widerstand
acceleration: acceleration accelerometer accel acc accelerations beschleunigung accelx accely
  accelz acel accx accy accz xaccel
gyro: gyro gyroscope gyrometer rotation
angle: angle winkel roll pitch yaw angles roulis
orientation: orientation orient
weight: vaha waga gewichtung weight gewicht mass poids peso load_kg gewichts masse
volume: rauminhalt objem volume vol volumen
flow: przeplyw prutok portata vazao doorstroming debito flow durchfluss debit caudal flux debiet
consumption: spotreba zuzycie consumi consumption consommation verbrauch consumo verbruik usage
meter: meter metering zaehlwerk compteurs
gas: gas gaz
reactive: reactive reactivo reaktiv blind
apparent: apparent scheinleistung
active: active activa
board: board mainboard mcu cpu pcb chip internal onboard core processor die
dew: dew taupunkt rosee
index_heat: heatindex feelslike humidex windchill
target: target setpoint setpt consigne soll sollwert
threshold: threshold thresholds thresh limit limits seuil schwelle grenzwert umbral thrd thr
  limite thre
interval: interval sendcycle sleepcycle atdc stepsize intervall period periode periodic
  periodicity intervalle intervalo tdc periodo frequenzy interv samplinginterval uplinkinterval
  sendinterval
timeout: timeout timer wait waiting delay debounce holdtime hold cooldown blanking dwelltime backoff
config: config disalarm configuration cfg conf setting settings setup param params parameter
  parameters konfiguration einstellung configured option options preset default reglage parametre
calibration: calibration calib calibrate calibrated kalibrierung offset hysteresis hyst
  sensitivity sensibility gain multiplier divisor divider scaler scale autozero trim
enable: enable enabled enables disable disabled aktiviert activate activation deactivate allowed
  allow en
retry: retry retries attempts redundancy retransmission resend rejoin maxretries
schedule: schedule scheduled program calendar zeitplan
adr: adr datarate
keepalive: keepalive heartbeat keep_alive hb
rate: rate rates
sampling: sampling samplerate sample samples
send: send sending transmit transmission upload uploads sent
join: join joins otaa abp joined
confirmed: confirmed confirm unconfirmed confirmation
exceed: exceed exceeds exceeded exceeding beyond
lifetime: semesters semester years year months quarters
trend: mutation trend gradient
reverse: reverse negative
change: change changed
range: range
trigger: trigger triggered triggers
led: led leds
report: report reporting reported
max: max maximum maxi highest peak mx
min: min minimum mini lowest
mean: ave avg average mean moyenne durchschnitt averaged moy media mittel median rms
last: last latest now recent actual instant instantaneous live actuel
previous: previous prev former preceding
daily: today daily day hourly perhour perday month monthly weekly yesterday
high: high hi upper haut hoch
low: low lower lo bas niedrig weak
end: end eol critical empty depleted
channel: channel channels ch chan kanal canal chn chnl
phase: phase phases l1 l2 l3
percent: percent percentage pct perc prct prozent pourcentage porcentaje percentages
ratio: ratio
raw: raw rawvalue roh brut
value: value values val vals valeur wert valor data reading readings measure measurement
  measurements mesure measured messwert meas measuredvalue waarde
sensor: sensor sensors probe capteur sonde fuehler sonda transducer
inside: inside innen interieur interieure interno interna binnen
external: aussen exterieur exterieure esterno esterna buiten external ext extern externe exterior
  outside outdoor outer
supply: supply system vpwr mains vout versorgung alimentation
storage: storage capacitor capvoltage supercap
remaining: remaining rest remain left capacity
outage: outage lost blackout powerfail powercut mainsfail cutoff powerfailure
id: id ids uuid guid eui deveui devaddr identifier deviceid devid
number: number num nb nr numero nummer
sequence: sequence seq fcnt framecount
frame: frame trame packet packets message messages msg telegram uplink uplinks downlink downlinks
payload: payload bytes frmpayload hex base64 b64 rawpayload rawdata bytestring hexstring hexdata
  payloadhex
port: port fport
crc: crc checksum crc16 chksum cks
mac: ssids mac bssid macaddress macs ssid
ack: ack acktoken nack
protocol: protocol proto opcode cmdid command cmd endpoint cluster clusterid attributeid
decoder: decoder codec decode decoding decoderversion
valid: valid validity
online: online connected connection link connectivity linked
running: running run active_run isrunning operation operating ignition
reset: reset resets reboot reboots boot restart restarts boots booted restarted
wear: wear worn
heart: heart heartrate bpm pulse_rate
blood: blood spo2
beacon: beacon beacons ibeacon
h2s: h2s
nh3: nh3 ammonia ammoniak
no2: no2 nitrogendioxide
no: no nitrogenmonoxide
o3: o3 ozone ozon
so2: so2 sulfurdioxide sulphurdioxide
ch4: ch4 methane methan lel
h2: h2 hydrogen
radon: radon
par: par ppfd quantum photosynthetic photosynthetically
absolute: absolute abs
relative: relative rel
potential: potential matric tensiometer matrix
body: body skin wrist
return: return ruecklauf retour
supplyflow: vorlauf
axis: axis
power_source: powersource
tank: tank
room: room raum
line: line
export: export exported delivered fed einspeisung
import: import imported consumed bezug drawn
tariff: tariff tarif
displayed: displayed display
intensity: intensity
frac: fraction
cover: cover case box enclosure boitier housing backplate
reference: reference ref
good: good ok okay healthy
detect: detected detection detect detector melder detecteur erkannt deteccion
test: test selftest
actuator: actuator motor pump fan ventilator
uptime_days: lft
""")

# Words that are several concepts at once.
COMPOUNDS = read_table("""
childlock: child lock
kindersicherung: child lock
vbat: battery voltage
vbatt: battery voltage
batv: battery voltage
battv: battery voltage
batvolt: battery voltage
battvolt: battery voltage
vbattery: battery voltage
ubat: battery voltage
tensionv: battery voltage
tensionc: battery voltage
voltagebat: battery voltage
bvolt: battery voltage
vdd: supply voltage
vcc: supply voltage
vbus: supply voltage
vsys: supply voltage
vin: supply voltage
vext: supply voltage
vsupply: supply system voltage
vdc: input voltage
vrms: voltage mean
urms: voltage mean
vmc: soil moisture
splrate: sampling rate
adcv: analog voltage
vac: voltage
avi: analog voltage
vref: reference voltage
idc: input current
aci: current
irms: current mean
imax: current max
tempc: temperature
tmax: temperature max
tmin: temperature min
tavg: temperature mean
shtemp: temperature
shthum: humidity
shhum: humidity
reflux: reflux
liquidlevel: water level
tdew: dew temperature
tsoil: soil temperature
twater: water temperature
tair: air temperature
tambient: air temperature
tint: board temperature
text_: external temperature
tbaro: temperature barometric
wasserstand: water level
waterstand: water level
waterhoogte: water level
nivelagua: water level
tob: temperature
tchip: board temperature
tleaf: leaf temperature
tin: temperature
tout: temperature output
theatindex: index_heat temperature
airtemp: air temperature
dewpoint: dew temperature
roomtemp: room temperature
airpressure: air barometric pressure
pbaro: barometric pressure
atmp: barometric pressure
patm: barometric pressure
airpres: air barometric pressure
airhum: air humidity
leafhum: leaf moisture
rhsoil: soil humidity
windspeed: wind speed
winddir: wind direction
winddirection: wind direction
windgust: wind gust
dissolvedoxygen: dissolved oxygen
wlevel: water level
wpressure: water pressure
waterlevel: water level
waterleak: water leak
ambienttemp: air temperature
dooropen: door open
dooropened: door open
doorstatus: door status
lowbattery: low battery
batterylow: battery low
lowbat: low battery
lowbatt: low battery
batlow: battery low
timesync: time sync
uplinkcount: frame count
framecounter: frame count
sequencenumber: sequence number
soilmoisture: soil moisture
soiltemp: soil temperature
soiltemperature: soil temperature
watertemp: water temperature
watertemperature: water temperature
flowrate: flow rate
powerfactor: power factor
uvindex: uv index
uvi: uv index
gyrox: gyro
onoff: relay status
manhole: cover
deltat: differential temperature
deltap: differential pressure
dpressure: differential pressure
batterypercent: battery percent
batpct: battery percent
batperc: battery percent
soc: battery percent
phaseangle: phase angle
hightemp: high temperature
lat_lng: position
gpsfix: gps fix
gpslat: gps latitude
gpslon: gps longitude
gpslong: gps longitude
gpslng: gps longitude
fixtime: fix duration
ttf: fix duration
ttff: fix duration
pf: power factor
cosphi: power factor
ea: active energy
eap: active energy
eapp: apparent energy
er: reactive energy
hchc: energy
hchp: energy
ejphn: energy
pmax: power max
east: active energy
easf: active energy
eait: active energy
iinst: current last
isousc: current
sinsts: apparent power
papp: apparent power
daylight: illuminance
smokealarm: smoke alarm
wifimac: mac
mainsvoltage: supply voltage
""")
