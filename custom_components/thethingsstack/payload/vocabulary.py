"""The words of payload fields and what they say, as data.

Rules are written in a small language over concepts: "wind speed|gust !level" holds where
*wind* and one of *speed* and *gust* are there and *level* is not.
"""

from functools import lru_cache

from .quantities import QUANTITIES, Quantity

__all__ = ["QUANTITIES", "Quantity"]


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


# concept: spellings (all languages, typos and abbreviations that devices really send)
_SYNONYMS: dict[str, str] = {
    "temperature": "lampotila temperatury teploty hofok vorlauftemperatur ruecklauftemperatur temperaturen temp temps tem temperature temperatures temperatur temperatura tempera tmp tempr tmpr temprature"
    " temparature temperatuur temperatures therm thermometer thermocouple thermistor ntc ds18b20 ds18"
    " tmp117 tmp36 tmp102 pt100 pt1000 rtd lampotila teplota celsius teplotni celcius",
    "chip": "sht sht20 sht30 sht31 sht3x sht40 sht41 sht4x sht35 bme280 bme680 bmp280 scd30 scd40",
    "humidity": "kosteus fugtighed luftfuktighet luftfugtighed vlaga hum humi humid humidity humidite humedad humidade umidita umidade feuchte feuchtigkeit luftfeuchte luftfeuchtigkeit"
    " luchtvochtigheid vochtigheid rh rhum relhum hygro hygrometry hygrometrie hygrometer humd humdity vlhkost wilgotnosc fuktighet",
    "moisture": "soilmoist bodemvocht moisture moist vwc bodenfeuchte bodenfeuchtigkeit theta watercontent",
    "wetness": "wetness wet",
    "battery": "akumulator akkustand batteriladdning accustand bat batt battery batterie bateria batteria akku accu batterij batery baterie accumulator batteri"
    " batterystatus pile batlevel btry",
    "voltage": "napiecie napeti volty voltaggio spaenning volt volts voltage voltages spannung tension voltaje tensione spanning tensao volatge voltag vltg",
    "current": "prad proud courants current currents curr courant strom corriente corrente stroom amp amps ampere amperes amperage",
    "power": "vykon effekt puissances power powers pow puissance leistung potencia potenza vermogen watt watts wattage",
    "energy": "wirkarbeit wirkenergie energija energy energie energia enery energies",
    "pressure": "cisnienie tlak tryck paine tryk presiune pressure press pres pression druck presion pressione druk pressao prs pressures",
    "barometric": "luchtdruk lufttryck lufttryk baro barometer barometric atm atmospheric atmosphere atmos atomsphere atmosphaere luftdruck qnh qfe barometrische"
    " atmospherique atmosferica sealevelpressure",
    "differential": "differential diff delta differentielle diferencial differenz difference differentiel",
    "illuminance": "luce svetlo swiatlo ljus lys iluminacion luminosidade illuminanza verlichting lichtsterkte beleuchtungsstaerke ambientlight light lights illuminance illumination illum illuminence lux lx luminosity luminance brightness lumiere helligkeit luz"
    " lum lumens licht luminosite iluminancia luminosidad als illuminace lumen",
    "irradiance": "irr ghi globalradiation solarradiation rayonnement irradiance radiation solar pyranometer globalstrahlung irradiation pyrano",
    "co2": "co2e co2 eco2 co2eq carbondioxide eqco2 kohlendioxid",
    "co": "carbonmonoxide co",
    "voc": "bvoc voci tvoceq voc tvoc cov tvocs vocs evoc covt tcov",
    "aqi": "iaq aqi eaqi siaq airquality caqi",
    "hcho": "hcho ch2o formaldehyde formaldehyd",
    "particles": "particulates particle particles particulate dust pm",
    "noise": "rumore halas hluk sonore noise sound decibel decibels loudness schall bruit laeq lamax spl leq laerm geluid ruido acoustic",
    "distance": "vzdalenost odleglosc entfernung distanza distance dist distances distanz abstand distancia afstand ultrasonic tof range_mm dis proximity lidar ranging",
    "level": "poziom hladina level levels niveau pegel fuellstand nivel livello peil fullstand niveaux lvl",
    "depth": "depth deep tiefe profondeur snow_depth profundidad diepte",
    "height": "altezza hohe height hoehe hauteur altura hoogte",
    "fill": "fillstate vulling llenado fill filling fillrate filllevel fillpercentage fullness remplissage full",
    "altitude": "altitude alt elevation altitud",
    "latitude": "latitude lat latitud breitengrad breite latt latdeg",
    "longitude": "longitude lon long lng longitud laengengrad laenge",
    "accuracy": "accuracy acc_m ehpe hacc hpe epe eph precision horizontalaccuracy precisionm uncertainty",
    "dop": "hdop pdop dop vdop",
    "satellites": "sats satellites sat satellite numsat satnum satcount siv nsat satellitescount svs",
    "speed": "velocita velocidade predkosc rychlost speed velocity sog speedkmph speedkph vitesse geschwindigkeit velocidad snelheid spd",
    "heading": "heading course cog bearing track hdg azimuth",
    "direction": "direzione direcao kierunek smer direction dir richtung direccion richting directions",
    "gps": "gps gnss geolocation",
    "position": "position location coordinates coordinate coord coords pos geo latlng latlon latlong posicion lage ubicacion",
    "wind": "vento wiatr vitr vind wind vent viento anemometer",
    "gust": "rafale rafaga raffica windboe gust gusts boe",
    "rain": "pioggia chuva deszcz regn niederschlagsmenge regenmenge pluviometrie lluvias rain rainfall precipitation precip pluie regen niederschlag lluvia pluviometer pluvio rainfalls raingauge neerslag",
    "snow": "neve nieve snow schnee neige",
    "uv": "uv uva uvb",
    "soil": "solo suolo terreno bodem gleba puda soil ground boden sol suelo soli soild bodem terra substrate",
    "leaf": "leaves foglia folha hoja blad leaf blatt feuille foliar canopy",
    "air": "lucht air luft aire ambient amb ambiant umgebung ambiance environment environmental aria",
    "water": "water wasser eau agua acqua voda woda",
    "ec": "ec conductivity conduct cond leitfaehigkeit conductivite conductividad conductance ecw eca bulkec",
    "ph": "ph",
    "orp": "orp redox eh",
    "turbidity": "turbidity turb ntu turbidite fnu",
    "oxygen": "oxygen o2 sauerstoff oxigen",
    "salinity": "salinity salt salinite",
    "solids": "tds solids",
    "nitrogen": "nitrogen",
    "phosphorus": "phosphorus phosphor phosphorous",
    "potassium": "potassium kalium",
    "count": "licznik pocitadlo contatore conteggio zaehlwert count counter counters counts cnt compteur zaehler zahler contador compte cntr counting ctr numof nbr anzahl nombre teller conteo",
    "pulse": "pulse pulses impulse impulses puls impuls imp impulsions pulsecount tick ticks tips",
    "times": "times trips activations cycles occurrences presses clicks changes",
    "total": "total totals sum gesamt cumulative cumulated cumul totalizer accumulated accumulation totalized summation totalizador cumulate acc_total",
    "step": "step steps schritte",
    "people": "people person persons visitors passengers pax persones footfall",
    "index": "index idx zaehlerstand",
    "door": "dorr drzwi dvere ajto door tur tuer tuere porte puerta porta deur doors",
    "window": "finestra janela okno raam window fenster fenetre ventana",
    "garage": "garage",
    "contact": "contact contacts reed magnet magnetic kontakt contacto hall magnetism reedswitch magnetswitch",
    "open": "aperto aperta aberto aberta otevreno otwarte open opened opening ouvert ouverture offen geoeffnet abierto opens openings apertura",
    "closed": "chiuso chiusa fechado fechada zavreno zamkniete fermee gesloten closed close ferme geschlossen cerrado shut",
    "valve": "valve valv ventil vanne valvula valves klep",
    "leak": "perdita vazamento wyciek unik leckage leakalarm leak leakage fuite leck leaking leaks fuga leakag lekkage lek leakdetected",
    "flood": "flood flooding ueberschwemmung inundation",
    "condensation": "condensation betauung dewing condensing",
    "tamper": "tamper tampered tampering removal removed manipulation demolish disassembled dismantled dismount sabotage"
    " antidemolition cut_off detached antitamper vandalism theft teardown tamperdetected casing_open",
    "motion": "movimento ruch pohyb rorelse bewegungserkennung motion pir bewegung mouvement movimiento movement mot bewegungsmelder movements beweging motiondetected motionst",
    "moving": "moving moved move inmotion inmovement inmove transport accelerated intrip",
    "occupancy": "ocupado ocupacion bezetting occupancy occupied occupy occu belegt occupation occupe occ vacancy vacant bezet occupant",
    "presence": "presenza presenca obecnosc presence present praesenz presencia anwesenheit aanwezigheid",
    "smoke": "fumo dym kour smoke rauch fumee humo rook",
    "fire": "fire feuer",
    "sos": "sos panic emergency mandown fall emerg alarmbutton duress",
    "lock": "lock locked schloss childlock",
    "vibration": "wibracje vibrace vibracao vibrazione trilling vibration vib vibrations shock vibrating vibrate shake impact erschuetterung vibracion",
    "tilt": "tilt tilted inclined neigung tilting tilts inclination incline inclinometer",
    "charging": "charging charge charger laden charged ladung recharge",
    "freeze": "freeze freezing frost frozen frozing",
    "heat": "overheat overheating heat",
    "button": "button buttons taster btn pushbutton knopf keypress pushbtn bouton boton",
    "press": "pressed pushed clicked press_event click doubleclick singleclick longpress gesture",
    "key": "key keys",
    "scene": "scene",
    "plug": "plug plugged cable unplugged",
    "relay": "relay relais relays switch rele",
    "digital": "digital di din dig do dout gpio dio",
    "analog": "analog analogue adc ana ain ai aio anlg analogic analoginput adcraw",
    "input": "input inputs entree intput inp eingang entrada ingang",
    "output": "output outputs sortie ausgang salida out uitgang",
    "alarm": "allarme alarmy alerta alarm alarms alert alerts warning warn alerte alarma alarme warnung alrm alerm waarschuwing",
    "fault": "loss overflow blocked obstruction obstructed jammed stuck overheated abnormal abnormality anomaly defective malfunctioning fault faults watchdog error errors err failure failures fail failed broken malfunction fehler erreur stoerung defect defekt failsafe"
    "           inconsistency badencoder fouled storing"
    "   nousage meternoresponse noencoder brownout obstacle inactivity faulty covered dirty",
    "hazard": "fraud backflow burst brokenpipe continuousflow continousflow overvoltage undervoltage overcurrent overload     ",
    "parking": "parking parked park",
    "status": "status state stat statut zustand estado stato states statuses etat",
    "code": "byte code codes cause reason raison codigo errorcode cot",
    "flag": "flag flags bitmap bitmask bits mask bitfield eventflags",
    "mode": "mode modus modes operatingmode",
    "type": "type typ types kind tipo",
    "event": "event events ereignis evenement evento",
    "version": "version ver vers firmware fw hardware hw software sw bootloader revision rev firmwareversion fwversion hwversion release"
    " fwver swver build git",
    "serial": "serial sn serialnumber seriennummer serialno imei imsi iccid meterid sernum deviceserial meternumber",
    "model": "model modell manufacturer vendor brand product sku",
    "signal": "signal",
    "rssi": "rssi",
    "snr": "snr lsnr",
    "strength": "strength",
    "quality": "quality qualite",
    "network": "network lorawan lora wifi ble nfc bluetooth",
    "scan": "scan scans scanned",
    "txpower": "txpower txpow txpwr loratxpower",
    "time": "time timestamp timestamps unix utc date datetime horodatage systimestamp isotime unixtime epoch clock zeit datum hora fecha"
    " timestam stamp ts systime rtc localtime zeitstempel tst tstamp devicetime synctime",
    "duration": "duration elapsed age uptime runtime ontime offtime dauer runningtime worktime workingtime dwell duree lifetime"
    " operatinghours runhours operatingtime laufzeit upsince workingduration life",
    "frequency": "freq frequency frequence frequenz frecuencia",
    "factor": "factor facteur faktor",
    "resistance": "resistance resistor ohms impedance ohm widerstand",
    "acceleration": "acceleration accelerometer accel acc accelerations beschleunigung accelx accely accelz acel accx accy accz xaccel",
    "gyro": "gyro gyroscope gyrometer rotation",
    "angle": "angle winkel roll pitch yaw angles roulis",
    "orientation": "orientation orient",
    "weight": "vaha waga gewichtung weight gewicht mass poids peso load_kg gewichts masse",
    "volume": "rauminhalt objem volume vol volumen",
    "flow": "przeplyw prutok portata vazao doorstroming debito flow durchfluss debit caudal flux debiet",
    "consumption": "spotreba zuzycie consumi consumption consommation verbrauch consumo verbruik usage",
    "meter": "meter metering zaehlwerk compteurs",
    "gas": "gas gaz",
    "reactive": "reactive reactivo reaktiv blind",
    "apparent": "apparent scheinleistung",
    "active": "active activa",
    "board": "board mainboard mcu cpu pcb chip internal onboard circuit core processor die",
    "dew": "dew taupunkt rosee",
    "index_heat": "heatindex feelslike humidex windchill",
    "target": "target setpoint setpt consigne soll sollwert",
    "threshold": "threshold thresholds thresh limit limits seuil schwelle grenzwert umbral thrd thr limite thre",
    "interval": "interval sendcycle sleepcycle atdc stepsize intervall period periode periodic periodicity intervalle intervalo tdc periodo frequenzy interv samplinginterval"
    " uplinkinterval sendinterval",
    "timeout": "timeout timer delay debounce holdtime hold cooldown blanking dwelltime backoff",
    "config": "config disalarm configuration cfg conf setting settings setup param params parameter parameters konfiguration einstellung"
    " configured option options preset default reglage parametre",
    "calibration": "calibration calib calibrate calibrated kalibrierung offset hysteresis hyst sensitivity sensibility gain"
    " multiplier divisor divider scaler scale autozero trim",
    "enable": "enable enabled enables disable disabled aktiviert activate activation deactivate allowed allow en",
    "retry": "retry retries attempts redundancy retransmission resend rejoin maxretries",
    "schedule": "schedule scheduled program calendar zeitplan",
    "adr": "adr datarate",
    "keepalive": "keepalive heartbeat keep_alive hb",
    "rate": "rate rates",
    "sampling": "sampling samplerate sample samples",
    "send": "send sending transmit transmission upload uploads sent",
    "join": "join joins otaa abp joined",
    "confirmed": "confirmed confirm unconfirmed confirmation",
    "exceed": "exceed exceeds exceeded exceeding beyond",
    "lifetime": "semesters semester years year months quarters",
    "trend": "mutation trend gradient",
    "reverse": "reverse negative",
    "change": "change changed",
    "range": "range",
    "trigger": "trigger triggered triggers",
    "led": "led leds",
    "report": "report reporting reported",
    "max": "max maximum maxi highest peak mx",
    "min": "min minimum mini lowest",
    "mean": "ave avg average mean moyenne durchschnitt averaged moy media mittel median rms",
    "last": "last latest now recent actual instant instantaneous live actuel",
    "previous": "previous prev former preceding",
    "daily": "today daily day hourly perhour perday month monthly weekly yesterday",
    "high": "high hi upper haut hoch",
    "low": "low lower lo bas niedrig weak",
    "end": "end eol critical empty depleted",
    "channel": "channel channels ch chan kanal canal chn chnl",
    "phase": "phase phases l1 l2 l3",
    "percent": "percent percentage pct perc prozent pourcentage porcentaje percentages",
    "ratio": "ratio",
    "raw": "raw rawvalue roh brut",
    "value": "value values val vals valeur wert valor data reading readings measure measurement measurements mesure measured messwert meas"
    " measuredvalue waarde",
    "sensor": "sensor sensors probe capteur sonde fuehler sonda transducer",
    "inside": "inside innen interieur interieure interno interna binnen",
    "external": "aussen exterieur exterieure esterno esterna buiten external ext extern externe exterior outside outdoor outer",
    "supply": "supply vpwr mains vout versorgung alimentation",
    "storage": "storage capacitor capvoltage supercap",
    "remaining": "remaining rest remain left capacity",
    "outage": "outage lost blackout powerfail powercut mainsfail cutoff powerfailure",
    "id": "id ids uuid guid eui deveui devaddr identifier deviceid devid",
    "number": "number num nb nr numero nummer",
    "sequence": "sequence seq fcnt framecount",
    "frame": "frame trame packet packets message messages msg telegram uplink uplinks downlink downlinks",
    "payload": "payload bytes frmpayload hex base64 b64 rawpayload rawdata bytestring hexstring hexdata payloadhex",
    "port": "port fport",
    "crc": "crc checksum crc16 chksum cks",
    "mac": "ssids mac bssid macaddress macs ssid",
    "ack": "ack acktoken nack",
    "protocol": "protocol proto opcode cmdid command cmd endpoint cluster clusterid attributeid",
    "decoder": "decoder codec decode decoding decoderversion",
    "valid": "valid validity",
    "online": "online connected connection link connectivity linked",
    "running": "running run active_run isrunning operation operating ignition",
    "reset": "reset resets reboot reboots boot restart restarts boots booted restarted",
    "wear": "wear worn",
    "heart": "heart heartrate bpm pulse_rate",
    "blood": "blood spo2",
    "beacon": "beacon beacons ibeacon",
    "h2s": "h2s", "nh3": "nh3 ammonia ammoniak", "no2": "no2 nitrogendioxide", "no": "no nitrogenmonoxide", "o3": "o3 ozone ozon",
    "so2": "so2 sulfurdioxide sulphurdioxide", "ch4": "ch4 methane methan lel", "h2": "h2 hydrogen", "radon": "radon",
    "par": "par ppfd quantum photosynthetic photosynthetically",
    "absolute": "absolute abs",
    "relative": "relative rel",
    "potential": "potential matric tensiometer matrix",
    "body": "body skin wrist",
    "return": "return ruecklauf retour",
    "supplyflow": "vorlauf",
    "axis": "axis",
    "power_source": "powersource",
    "tank": "tank",
    "room": "room raum",
    "line": "line",
    "export": "export exported delivered fed einspeisung",
    "import": "import imported consumed bezug drawn",
    "tariff": "tariff tarif",
    "displayed": "displayed display",
    "intensity": "intensity",
    "frac": "fraction",
    "cover": "cover case box enclosure boitier housing backplate",
    "reference": "reference ref",
    "good": "good ok okay healthy",
    "detect": "detected detection detect detector erkannt deteccion",
    "test": "test selftest",
    "actuator": "actuator motor pump fan ventilator",
    "uptime_days": "lft",
}  # fmt: skip

# Words that are several concepts at once.
_COMPOUNDS: dict[str, str] = {
    "vbat": "battery voltage", "vbatt": "battery voltage", "batv": "battery voltage", "battv": "battery voltage",
    "batvolt": "battery voltage", "battvolt": "battery voltage", "vbattery": "battery voltage", "ubat": "battery voltage",
    "tensionv": "battery voltage", "tensionc": "battery voltage", "voltagebat": "battery voltage", "bvolt": "battery voltage",
    "batmv": "battery voltage", "mvbat": "battery voltage",
    "vdd": "supply voltage", "vcc": "supply voltage", "vbus": "supply voltage", "vsys": "supply voltage", "vin": "supply voltage",
    "vext": "supply voltage", "vsupply": "supply voltage", "vdc": "input voltage", "vrms": "voltage mean", "urms": "voltage mean",
    "vmc": "voltage", "adcv": "analog voltage", "vac": "voltage", "avi": "analog voltage", "vref": "reference voltage",
    "idc": "input current", "aci": "current", "irms": "current mean", "imax": "current max",
    "tmax": "temperature max", "tmin": "temperature min", "tavg": "temperature mean", "shtemp": "temperature", "shthum": "humidity",
    "shhum": "humidity", "reflux": "reflux", "liquidlevel": "water level", "tdew": "dew temperature", "tsoil": "soil temperature", "twater": "water temperature", "tair": "air temperature",
    "tambient": "air temperature", "tint": "board temperature", "text_": "external temperature", "tbaro": "temperature barometric",
    "wasserstand": "water level", "waterstand": "water level", "waterhoogte": "water level", "nivelagua": "water level", "tob": "temperature", "tchip": "board temperature", "tleaf": "leaf temperature", "tin": "temperature", "tout": "temperature output",
    "theatindex": "index_heat temperature", "airtemp": "air temperature", "dewpoint": "dew temperature",
    "tempc": "temperature", "tempf": "temperature", "roomtemp": "room temperature", "airpressure": "air barometric pressure",
    "pbaro": "barometric pressure", "atmp": "barometric pressure", "patm": "barometric pressure", "airpres": "air barometric pressure",
    "airhum": "air humidity", "leafhum": "leaf moisture", "rhsoil": "soil humidity", "windspeed": "wind speed", "winddir": "wind direction",
    "winddirection": "wind direction", "windgust": "wind gust", "dissolvedoxygen": "dissolved oxygen",
    "wlevel": "water level", "wpressure": "water pressure", "waterlevel": "water level", "waterleak": "water leak",
    "ambienttemp": "air temperature", "dooropen": "door open", "dooropened": "door open", "doorstatus": "door status",
    "lowbattery": "low battery", "batterylow": "battery low", "lowbat": "low battery", "lowbatt": "low battery", "batlow": "battery low",
    "timesync": "time sync", "uplinkcount": "frame count", "framecounter": "frame count", "sequencenumber": "sequence number",
    "soilmoisture": "soil moisture", "soiltemp": "soil temperature", "soiltemperature": "soil temperature",
    "watertemp": "water temperature", "watertemperature": "water temperature", "flowrate": "flow rate", "powerfactor": "power factor",
    "uvindex": "uv index", "uvi": "uv index", "gyrox": "gyro", "onoff": "relay status", "manhole": "cover",
    "deltat": "differential temperature", "deltap": "differential pressure", "dpressure": "differential pressure",
    "luminositylux": "illuminance", "co2ppm": "co2", "batterypercent": "battery percent", "batpct": "battery percent",
    "batperc": "battery percent", "soc": "battery percent", "phaseangle": "phase angle", "hightemp": "high temperature",
    "lat_lng": "position", "gpsfix": "gps fix", "gpslat": "gps latitude", "gpslon": "gps longitude", "gpslong": "gps longitude",
    "gpslng": "gps longitude", "fixtime": "fix duration", "ttf": "fix duration", "ttff": "fix duration",
    "pf": "power factor", "cosphi": "power factor", "ea": "active energy", "eap": "active energy", "eapp": "apparent energy",
    "er": "reactive energy", "hchc": "energy", "hchp": "energy", "ejphn": "energy", "pmax": "power max", "east": "active energy", "easf": "active energy",
    "eait": "active energy", "iinst": "current last", "isousc": "current", "sinsts": "apparent power", "papp": "apparent power",
    "daylight": "illuminance", "smokealarm": "smoke alarm", "wifimac": "mac", "mainsvoltage": "supply voltage",
}  # fmt: skip

CONCEPTS: dict[str, tuple[str, ...]] = {
    **{
        spelling: (concept,)
        for concept, spellings in _SYNONYMS.items()
        for spelling in spellings.split()
    },
    **{word: tuple(concepts.split()) for word, concepts in _COMPOUNDS.items()},
}

# How a concept reads, where its own key doesn't: for words taken out of compounds and abbreviations.
DISPLAY: dict[str, str] = {
    "board": "internal", "last": "current", "index_heat": "heat index", "mean": "average", "percent": "percentage", "co2": "CO2",
    "ec": "EC", "ph": "pH", "gps": "GPS", "id": "ID", "rssi": "RSSI", "snr": "SNR", "air": "air", "daily": "today",
    "voc": "VOC", "uv": "UV",
}  # fmt: skip

# Abbreviations that names keep spelled out; everything else stays as the device wrote it.
SPELLED_OUT: dict[str, str] = {
    "temp": "temperature", "tem": "temperature", "temps": "temperature", "hum": "humidity", "humi": "humidity", "bat": "battery",
    "batt": "battery", "volt": "voltage", "avg": "average", "cnt": "count", "num": "number", "ch": "channel", "chan": "channel",
    "pos": "position", "dist": "distance", "freq": "frequency", "temperatur": "temperature", "cfg": "configuration",
    "err": "error", "btn": "button", "fw": "firmware", "hw": "hardware", "sw": "software", "ver": "version", "press": "pressure",
    "acc": "acceleration", "accel": "acceleration", "ext": "external", "int": "internal", "amb": "ambient", "vib": "vibration",
    "msg": "message", "mot": "motion", "occu": "occupancy", "in": "in", "illum": "illuminance", "lum": "luminosity", "dev": "device",
    "curr": "current", "alt": "altitude", "lat": "latitude", "lon": "longitude", "lng": "longitude", "sats": "satellites",
    "gps": "GPS", "rssi": "RSSI", "snr": "SNR", "id": "ID", "led": "LED", "co2": "CO2", "voc": "VOC", "tvoc": "TVOC", "ec": "EC",
    "ph": "pH", "uv": "UV", "usb": "USB", "nfc": "NFC", "ble": "BLE", "pm1": "PM1", "pm25": "PM2.5", "pm4": "PM4", "pm10": "PM10",
    "aqi": "AQI", "iaq": "IAQ", "adc": "ADC", "npk": "NPK", "tds": "TDS", "orp": "ORP", "sos": "SOS", "pir": "PIR", "gnss": "GNSS",
    "channels": "channel", "sensors": "sensor", "inputs": "input", "outputs": "output", "zones": "zone", "ports": "port",
    "phases": "phase", "probes": "probe", "temperatures": "temperature",
}  # fmt: skip

# A last word that is a unit, if one of these concepts stands before it.
_TEMPERATURES = frozenset(["temperature", "dew", "index_heat"])
_VOLTAGES = word_set("battery voltage analog supply phase storage")
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
    "w": (frozenset({"power"}), "W"),
    "m": (frozenset({"distance", "level", "depth", "height", "altitude", "accuracy"}), "m"),
    "s": (frozenset({"time", "duration", "fix", "interval"}), "s"),
    "min": (frozenset({"duration", "work"}), "min"),
    "mins": (frozenset({"duration", "time", "work"}), "min"),
    "h": (frozenset({"duration"}), "h"),
    "g": (frozenset({"acceleration", "weight", "vibration", "orientation"}), "g"),
    "l": (frozenset({"volume", "water", "consumption"}), "L"),
    "pa": (frozenset({"pressure", "barometric"}), "Pa"),
    "lex": (frozenset({"illuminance"}), "lx"),
}

# ---- numbers -------------------------------------------------------------------------------
# Most specific first. A rule that contains the name's head noun wins over one that doesn't.
NUMBERS: tuple[tuple[str, str], ...] = (
    ("pm1", "pm1 !number|um|count"), ("pm25", "pm25 !number|um|count"), ("pm4", "pm4 !number|um|count"), ("pm10", "pm10 !number|um|count"),
    ("pm25", "fpm"), ("pm10", "rpm_"), ("pm1", "upm"),
    ("satellites", "satellites"), ("hdop", "dop"), ("accuracy", "accuracy !aqi|co2|voc"), ("accuracy", "gps|position acceleration"),
    ("altitude", "altitude"),
    ("snr", "snr"), ("rssi", "rssi"), ("rssi", "signal strength !radio|received"),
    ("heart_rate", "heart"), ("blood_oxygen", "blood oxygen"), ("body_temperature", "body temperature"),
    ("wind_direction", "wind direction|angle|heading|deg"), ("wind_gust", "gust"), ("wind_speed", "wind speed|mean|max|min|last !level"),
    ("wind_speed", "wind !level|status|scale|pressure|temperature|humidity|power|voltage"),
    ("precipitation_intensity", "rain rate|intensity"), ("precipitation", "rain !status|count|pulse|alarm|level"),
    ("snow_depth", "snow depth|level|height|distance"),
    ("uv_index", "uv !temperature"), ("par", "par"), ("irradiance", "irradiance !par|white|temperature|voltage|battery|current|power|noise|charging"),
    ("power_factor", "power factor"),
    ("temperature_delta", "differential temperature"), ("temperature_delta", "trend temperature"),
    ("apparent_energy", "apparent energy"), ("reactive_energy", "reactive energy"), ("reactive_power", "reactive power"),
    ("apparent_power", "apparent power"),
    ("energy", "energy index"), ("energy", "energy !storage|harvesting"), ("charge", "current hour"), ("power", "power !hour|consumption"), ("power", "demand !heat|heating|cooling|valve|cool"), ("energy", "electricity !power|voltage|current"),
    ("battery_voltage", "battery voltage"), ("battery_voltage", "storage voltage"),
    ("current", "current !hour|battery|position|status|mode|valve|direction|level|value|volume|count|people|weight|flow|tariff|thd|time|temperature|humidity|voltage|pressure|distance|speed"),
    ("water_potential", "soil|water|moisture potential"), ("water_potential", "soil pressure"),
    ("differential_pressure", "differential pressure"), ("pressure", "water|vapor|oil|tank|inlet|outlet|line|sensor|hydraulic|pipe pressure"),
    ("atmospheric_pressure", "barometric pressure !differential"), ("atmospheric_pressure", "barometric !temperature|differential"),
    ("atmospheric_pressure", "air pressure"),
    ("dew_point", "dew"), ("heat_index", "index_heat"),
    ("resistance", "resistance"),
    ("target_temperature", "target temperature"), ("target_temperature", "set point temperature"),
    ("temperature", "temperature ph|turbidity|orp|salinity"), ("soil_temperature", "soil temperature"), ("water_temperature", "water temperature"), ("temperature", "temperature !resistance|count|voltage"),
    ("temperature", "roomtemp"),
    ("carbon_dioxide", "co2"), ("carbon_monoxide", "co !count"), ("aqi", "voc index"), ("volatile_organic_compounds_parts", "voc"), ("aqi", "aqi !accuracy"), ("aqi", "air quality index"), ("aqi", "air quality !status|level"),
    ("formaldehyde", "hcho"), ("hydrogen_sulphide", "h2s"), ("ammonia", "nh3"), ("nitrogen_dioxide", "no2"),
    ("ozone", "o3"), ("sulphur_dioxide", "so2"), ("methane", "ch4"), ("hydrogen", "h2"), ("radon", "radon"),
    ("dissolved_oxygen", "dissolved oxygen"), ("dissolved_oxygen", "do"), ("oxygen", "oxygen"), ("turbidity", "turbidity"), ("salinity", "salinity"),
    ("dissolved_solids", "solids"), ("orp", "orp"), ("ph", "ph"), ("conductivity", "ec"),
    ("nitrogen", "nitrogen"), ("phosphorus", "phosphorus"), ("potassium", "potassium"),
    ("nitrogen", "soil n"), ("phosphorus", "soil p"), ("potassium", "soil k"),
    ("leaf_wetness", "leaf moisture|wetness|humidity"), ("soil_moisture", "soil moisture|water|wc|humidity"),
    ("moisture", "moisture"), ("absolute_humidity", "absolute humidity"),
    ("humidity", "humidity"),
    ("illuminance", "illuminance !color|red|green|blue|white|r|g|b|w|flicker|scene|duration|infrared|guide|visible_ir"),
    ("sound_pressure", "noise"), ("water_level", "water level"), ("water_level", "water depth"),
    ("fill_level", "fill !distance"), ("distance", "distance !signal"), ("distance", "length !payload|frame"), ("distance", "depth"), ("distance", "height"),
    ("particles", "particles"),
    ("vibration_speed", "vibration|x|y|z speed"), ("acceleration", "acceleration"), ("rotation_rate", "gyro"),
    ("acceleration", "orientation x|y|z"),
    ("heading", "heading"), ("angle", "angle"), ("angle", "tilt !count"), ("angle", "orientation !x|y|z"),
    ("speed", "speed !actuator|fan|heat|level"),
    ("water", "water flow value|total"), ("volume_flow_rate", "flow !sap|back|continuous|no|temperature|sensor|consumption|index|supply|count|pulse"),
    ("water", "water consumption|volume|total|meter"), ("gas", "gas consumption|volume|meter"),
    ("volume", "volume"), ("volume", "meter total|index"), ("volume", "consumption !current|power|energy|no"),
    ("weight", "weight"), ("frequency", "frequency !band"),
    ("valve_position", "valve position|openness|open|percent"),
    ("pressure", "pressure !blood"),
    ("people", "people"),
    ("supply_voltage", "supply voltage !last"),
    ("voltage", "voltage !thd|harmonic|harmonics|unbalance|imbalance|ratio|status"),
)  # fmt: skip

# The whole name, where it says too little for rules.
WHOLE: dict[str, str] = {
    "t": "temperature", "p": "atmospheric_pressure", "h": "humidity", "ppm": "carbon_dioxide", "db": "sound_pressure",
    "rh": "humidity", "i_rms": "current", "v_rms": "voltage", "dp": "differential_pressure", "n": "nitrogen", "mv": "voltage",
    "k": "potassium", "base": "energy", "vol": "voltage", "setpoint": "target_temperature", "heatingsetpoint": "target_temperature", "coolingsetpoint": "target_temperature", "no": "nitrogen_monoxide", "fpm": "pm25",
}  # fmt: skip

# The word before others: tRoot, T_Root; wc_Root isn't there.
LEADING: dict[str, str] = {"t": "temperature", "v": "voltage"}

# ---- heads: the last word that means something decides what kind of thing a name is ----
QUALIFIERS = word_set(
    "channel phase value sensor max min mean last total daily external board high low axis"
    " air water soil leaf room body line import export tariff percent return supply gps active"
    " ambient inside indoor relative absolute meter target frame data root top bottom middle"
    " left right front back red black white green blue tank measured mg chip weeks semesters"
    " days hours minutes"
)  # fmt: skip
COUNT_HEADS = frozenset(["count", "pulse", "times", "step", "people"])
CODE_HEADS = word_set("status code flag mode type event")
PLAIN_HEADS = word_set(
    "ratio raw code flag quality id number index factor class group mask scale fan"
    " speed_level calories stress area rri flicker octave good type mode event gasresistance"
    " valid tariff"
)  # fmt: skip

# ---- true or false ----
FLAGS: tuple[tuple[str, str], ...] = (
    ("battery_low", "battery low|end|alarm|fault|outage"), ("battery_low", "low voltage !threshold"), ("battery_low", "storage low"), ("battery_low", "low power"),
    ("battery_charging", "charging !fully|time|voltage|current|cycle|full"),
    ("fault", "fault"), ("problem", "hazard"), ("fault", "bad"),
    ("problem", "no beacon|encoder|response|consumption|fix|sensor|signal|flow|connection|link"), ("problem", "back|reverse|continuous|continous flow"), ("problem", "out range|threshold"), ("problem", "exceed"), ("problem", "high|low consumption"),
    ("problem", "hammer"), ("alarm", "threshold"),
    ("tamper", "tamper"), ("tamper", "cover open|alarm|status"),
    ("smoke", "smoke"), ("fire", "fire"), ("occupancy", "parking status|alarm"),
    ("leak", "leak !level|threshold|gas|pulse"), ("leak", "flood"), ("condensation", "condensation"), ("leak", "water detect|status|alarm|presence|contact"), ("leak", "wet|wetness !leaf|level"),
    ("gas_detected", "gas detect|alarm|leak|status !valve|volume|meter"), ("carbon_monoxide_detected", "co alarm"),
    ("safety", "sos"), ("safety", "man down"),
    ("cold", "freeze !protection"), ("heat", "heat !index"), ("heat", "over temperature"),
    ("alarm", "alarm"), ("alarm", "high|low temperature|humidity|co2|voc|current|flow|pressure|voltage|level !status"),
    ("window", "window"), ("door", "door !lock"), ("garage_door", "garage"),
    ("lock", "lock"), ("valve", "valve !online"), ("opening", "contact"), ("opening", "exti status"), ("opening", "open"), ("opening", "closed"),
    ("occupancy", "occupancy"), ("external_power", "external power"), ("external_power", "supply presence|status|power"), ("presence", "presence"), ("motion", "motion !temperature"), ("moving", "moving"), ("moving", "in trip"),
    ("vibration", "vibration"), ("tilt", "tilt"), ("power_outage", "outage"), ("plug", "plug"),
    ("connectivity", "online !sensor|temperature"), ("leak", "water"), ("leak", "moisture"), ("running", "running !mode"),
    ("digital_output", "digital output|out"), ("digital_input", "digital input|in"), ("digital_output", "relay"),
    ("button_state", "button !press|id|number"),
)  # fmt: skip
# About these a name says enough wherever they stand in it.
STRONG_FLAGS = frozenset(
    {"fault", "problem", "tamper", "leak", "smoke", "battery_low", "condensation", "safety"}
)
# Flags where a number other than 0 and 1 is something else, and the name alone suffices for a value-less field.
OVERHEAD = frozenset(["payload", "crc", "mac"])
SURE_FLAGS = word_set(
    "battery_low battery_charging tamper leak condensation fault smoke alarm safety cold"
    " fire gas_detected carbon_monoxide_detected window door garage_door opening valve occupancy presence motion moving lock heat"
    " connectivity digital_input digital_output power_outage plug external_power vibration"
    " running problem button_state"
)  # fmt: skip
# In a name like "door closed" or "free parking space" true is the opposite of on.
INVERTED_WORDS = frozenset({"vacant", "vacancy", "free", "closed", "close", "ferme", "geschlossen", "cerrado", "shut", "dry", "undetected"})  # fmt: skip


# ---- settings, overhead, identity ----
# Any of these anywhere makes a field a setting that the device repeats back.
SETTING_RULES: tuple[tuple[str, str], ...] = (
    ("threshold", "threshold"), ("interval", "interval !count|people|output|in|energy|volume|consumption"), ("timeout", "timeout !status"), ("configuration", "config"),
    ("calibration", "calibration !status"), ("enable", "enable"), ("retry", "retry"), ("schedule", "schedule"), ("adr", "adr"),
    ("keep alive", "keepalive"), ("keep alive", "keep alive"), ("time step", "time step"), ("dead zone", "dead zone"), ("rate", "rate value|report|sensor|frame|data|scan"), ("sampling", "sampling rate|time|duration|per"), ("confirmed", "confirmed !fault"), ("join", "join mode|type|interval|retry|trigger"), ("spreading factor", "spreading"),
    ("range", "range !distance|value|out"), ("change of value to report", "differential humidity|co2|illuminance|battery"), ("change of value to report", "change report|temperature|humidity|co2|barometric|illuminance|angle|pressure|battery"),
    ("limited time", "min|max time|report|number"), ("mode of trigger", "trigger mode|time|range|count_"), ("LED", "led mode|brightness|intensity|illuminance"),
    ("report", "report !previous|time|value|tamper|alarm|leak|motion|door"), ("alarm setting", "alarm time|duration|mode|current|voltage|number|max|min"),
    ("command", "config ack"), ("mode", "running|work|working|reporting|report|send|joining mode"), ("wake-up", "wakeup|wake|sleep time|duration|number|mode"), ("default", "preset"), ("display", "displayed illuminance|mode"), ("night mode", "night mode"), ("buzzer", "buzzer|beep mode|volume"), ("multiplier", "transformer"), ("default", "fallback"),
)  # fmt: skip
# The whole name of a setting.
SETTING_NAMES = word_set(
    "ctratio ptratio nbtrans rxdelay hb dr sf loradr lora_dr timezone tz utcoffset adrmode classmode confirmmode lorawanclassmode adr tdc vt mode_config wdt lpm txpower loratxpower class_ uplinktype cfgstatus"
)
# The whole name of what the decoder, not the device, tells; and of bookkeeping.
OVERHEAD_NAMES = word_set(
    "fport port bytes raw payload hex crc checksum mac uuid devaddr deveui appeui joineui ack"
    " acktoken vif dif ct func opcode datalength datalen payloadlen payloadlength payloadsize payloadformat framelength ackrequest ackrequested sequencenumber seq fcnt cmdid report"
    " endpoint clusterid attributeid decodinginfo header errors warnings_ messagetype_"
    " datatype_ zclheader redundancy_ uid macaddr preamble devid b64 base64"
    " decryptionkey packetid msgid payloadtype payloadlength payloadvariant payloadcounter"
    " type protocolversion_ major_ minor_ frameid rawdata rawpayload reserved rfu spare padding measurementid rawhex hexstring hexraw crcok crcvalid deviceeui devicejoineui gatewayeui networkid netid applicationid protocolid commandid idx"
)  # fmt: skip
UNIT_NAMES = word_set("unit units uom engunits displayname unitofmeasurement")
# The whole name, or its last word, of what the device is.
IDENTITY = frozenset(["version", "serial", "model", "decoder", "id"])

# The schema of The Things Stack: path -> quantity and unit (and the factor where ours is another).
NORMALIZED: dict[str, tuple[str, str | None, float]] = {
    "air.temperature": ("temperature", "°C", 1), "air.relativeHumidity": ("humidity", "%", 1),
    "air.pressure": ("atmospheric_pressure", "hPa", 1), "air.co2": ("carbon_dioxide", "ppm", 1),
    "air.lightIntensity": ("illuminance", "lx", 1), "wind.speed": ("wind_speed", "m/s", 1), "wind.direction": ("wind_direction", "°", 1),
    "soil.moisture": ("soil_moisture", "%", 1), "soil.temperature": ("soil_temperature", "°C", 1), "soil.ec": ("conductivity", "mS/cm", 1),
    "soil.depth": ("distance", "cm", 1), "soil.pH": ("ph", None, 1), "soil.n": ("nitrogen", "ppm", 1), "soil.p": ("phosphorus", "ppm", 1),
    "soil.k": ("potassium", "ppm", 1), "battery": ("battery_voltage", "V", 1), "rain.intensity": ("precipitation_intensity", "mm/h", 1),
    "rain.cumulative": ("precipitation", "mm", 1), "water.leak": ("leak", None, 1), "water.temperature.min": ("water_temperature", "°C", 1),
    "water.temperature.max": ("water_temperature", "°C", 1), "water.temperature.avg": ("water_temperature", "°C", 1),
    "water.temperature.current": ("water_temperature", "°C", 1), "metering.water.total": ("water", "L", 1),
    "action.motion.detected": ("motion", None, 1), "action.motion.count": ("count", None, 1), "action.contactState": ("opening", None, 1),
    "position.latitude": ("position", None, 1), "position.longitude": ("position", None, 1),
}  # fmt: skip
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
    """Return the rules that hold, each with what it is about; devices of a model ask the same."""
    return tuple((rule, found) for rule in rules if (found := rule.match(concepts)) is not None)


NUMBER_RULES = tuple(Rule(*rule) for rule in NUMBERS)
FLAG_RULES = tuple(Rule(*rule) for rule in FLAGS)
SETTING = tuple(Rule(*rule) for rule in SETTING_RULES)
