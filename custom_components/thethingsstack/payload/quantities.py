"""Every quantity that a field can be, as data: its name, class, unit and limits."""

from dataclasses import dataclass

from .types import Category, Kind, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What can be measured or reported, whatever the end device."""

    name: str
    """English; the key into translations is the quantity's own key."""
    device_class: str | None = None
    """Of the platform that `kind` says."""
    unit: str | None = None
    """Where a payload says none."""
    kind: Kind = Kind.SENSOR
    role: Role = Role.MEASUREMENT
    category: Category = Category.PRIMARY
    enabled: bool = True
    limits: tuple[float, float] | None = None
    """Beyond, in `unit`, a value is impossible, and so unknown."""
    usual: tuple[float, float] | None = None
    """Beyond, in `unit`, a full-scale number (65535, 327.67) means "not connected"."""
    precision: int = 3
    """More decimals than these are noise."""


def _sensor(
    name: str,
    device_class: str | None = None,
    unit: str | None = None,
    role: Role = Role.MEASUREMENT,
    *,
    limits: tuple[float, float] | None = None,
    usual: tuple[float, float] | None = None,
    precision: int = 3,
) -> Quantity:
    return Quantity(
        name=name,
        device_class=device_class,
        unit=unit,
        role=role,
        limits=limits,
        usual=usual,
        precision=precision,
    )


def _diagnostic(
    name: str,
    device_class: str | None = None,
    unit: str | None = None,
    role: Role = Role.MEASUREMENT,
    *,
    limits: tuple[float, float] | None = None,
    usual: tuple[float, float] | None = None,
    enabled: bool = True,
    precision: int = 3,
) -> Quantity:
    return Quantity(
        name=name,
        device_class=device_class,
        unit=unit,
        role=role,
        category=Category.DIAGNOSTIC,
        enabled=enabled,
        limits=limits,
        usual=usual,
        precision=precision,
    )


def _flag(
    name: str, device_class: str | None = None, category: Category = Category.PRIMARY
) -> Quantity:
    return Quantity(
        name=name,
        device_class=device_class,
        kind=Kind.BINARY_SENSOR,
        role=Role.FLAG,
        category=category,
    )


_CELSIUS = (-273.15, 5000.0)
_AROUND_US = (-90.0, 300.0)
_SHARE = (-5.0, 110.0)
_PARTS = (0.0, 1_000_000.0)
_DUST = (0.0, 10_000.0)

QUANTITIES: dict[str, Quantity] = {
    # Climate
    "temperature": _sensor(
        "Temperature", "temperature", "°C", limits=_CELSIUS, usual=_AROUND_US, precision=2
    ),
    "dew_point": _sensor(
        "Dew point", "temperature", "°C", limits=_CELSIUS, usual=_AROUND_US, precision=2
    ),
    "heat_index": _sensor(
        "Heat index", "temperature", "°C", limits=_CELSIUS, usual=_AROUND_US, precision=2
    ),
    "soil_temperature": _sensor(
        "Soil temperature", "temperature", "°C", limits=_CELSIUS, usual=_AROUND_US, precision=2
    ),
    "water_temperature": _sensor(
        "Water temperature", "temperature", "°C", limits=_CELSIUS, usual=_AROUND_US, precision=2
    ),
    "target_temperature": _sensor(
        "Target temperature", "temperature", "°C", limits=_CELSIUS, usual=_AROUND_US, precision=2
    ),
    "body_temperature": _sensor(
        "Body temperature", "temperature", "°C", limits=_CELSIUS, usual=_AROUND_US, precision=2
    ),
    "device_temperature": _sensor(
        "Device temperature", "temperature", "°C", limits=_CELSIUS, usual=_AROUND_US, precision=2
    ),
    "temperature_delta": _sensor(
        "Temperature difference", "temperature_delta", "°C", usual=_AROUND_US, precision=2
    ),
    "humidity": _sensor("Humidity", "humidity", "%", limits=_SHARE, precision=1),
    "absolute_humidity": _sensor("Absolute humidity", "absolute_humidity", "g/m³", precision=1),
    "moisture": _sensor("Moisture", "moisture", "%", limits=_SHARE, precision=1),
    "soil_moisture": _sensor("Soil moisture", "moisture", "%", limits=_SHARE, precision=1),
    "leaf_wetness": _sensor("Leaf wetness", "moisture", "%", limits=_SHARE, precision=1),
    "water_potential": _sensor("Water potential", "pressure", "kPa", precision=1),
    "atmospheric_pressure": _sensor(
        "Atmospheric pressure", "atmospheric_pressure", "hPa", limits=(100.0, 1300.0), precision=1
    ),
    "pressure": _sensor("Pressure", "pressure", "bar"),
    "differential_pressure": _sensor("Differential pressure", "pressure", "Pa"),
    # Light
    "illuminance": _sensor(
        "Illuminance", "illuminance", "lx", limits=(0.0, 500_000.0), precision=1
    ),
    "irradiance": _sensor("Irradiance", "irradiance", "W/m²", precision=1),
    "par": _sensor("Photosynthetically active radiation", None, "μmol/(m²⋅s)", precision=1),
    "uv_index": _sensor("UV index", precision=1),
    # Air
    "carbon_dioxide": _sensor(
        "Carbon dioxide", "carbon_dioxide", "ppm", limits=_PARTS, usual=(0.0, 50_000.0), precision=0
    ),
    "carbon_monoxide": _sensor(
        "Carbon monoxide", "carbon_monoxide", "ppm", limits=_PARTS, usual=(0.0, 10_000.0)
    ),
    "volatile_organic_compounds": _sensor(
        "Volatile organic compounds", "volatile_organic_compounds", "μg/m³"
    ),
    "volatile_organic_compounds_parts": _sensor(
        "Volatile organic compounds", "volatile_organic_compounds_parts", "ppb"
    ),
    "aqi": _sensor("Air quality index", "aqi", precision=0),
    "nitrogen_dioxide": _sensor("Nitrogen dioxide", "nitrogen_dioxide", "ppb"),
    "nitrogen_monoxide": _sensor("Nitrogen monoxide", "nitrogen_monoxide", "ppb"),
    "ozone": _sensor("Ozone", "ozone", "ppb"),
    "sulphur_dioxide": _sensor("Sulphur dioxide", "sulphur_dioxide", "ppb"),
    "ammonia": _sensor("Ammonia", None, "ppm"),
    "hydrogen_sulphide": _sensor("Hydrogen sulphide", None, "ppm"),
    "formaldehyde": _sensor("Formaldehyde"),
    "methane": _sensor("Methane"),
    "hydrogen": _sensor("Hydrogen"),
    "oxygen": _sensor("Oxygen", None, "%"),
    "radon": _sensor("Radon", "radon", "Bq/m³"),
    "pm1": _sensor("PM1", "pm1", "μg/m³", usual=_DUST, precision=1),
    "pm25": _sensor("PM2.5", "pm25", "μg/m³", usual=_DUST, precision=1),
    "pm4": _sensor("PM4", "pm4", "μg/m³", usual=_DUST, precision=1),
    "pm10": _sensor("PM10", "pm10", "μg/m³", usual=_DUST, precision=1),
    "particles": _sensor("Particles"),
    "sound_pressure": _sensor(
        "Sound pressure", "sound_pressure", "dB", usual=(-20.0, 200.0), precision=1
    ),
    # Weather
    "wind_speed": _sensor("Wind speed", "wind_speed", "m/s", usual=(0.0, 150.0), precision=2),
    "wind_gust": _sensor("Wind gust", "wind_speed", "m/s", usual=(0.0, 150.0), precision=2),
    "wind_direction": _sensor(
        "Wind direction", "wind_direction", "°", Role.ANGLE, limits=(-360.0, 360.0), precision=1
    ),
    "precipitation": _sensor("Precipitation", "precipitation", "mm", Role.TOTAL, limits=(0.0, 1e6)),
    "precipitation_intensity": _sensor(
        "Precipitation intensity", "precipitation_intensity", "mm/h"
    ),
    "snow_depth": _sensor("Snow depth", "distance", "cm"),
    # Water and soil
    "conductivity": _sensor("Conductivity", "conductivity", "μS/cm"),
    "ph": _sensor("pH", "ph", limits=(-1.0, 15.0), precision=2),
    "orp": _sensor("Redox potential", None, "mV"),
    "turbidity": _sensor("Turbidity", None, "NTU"),
    "salinity": _sensor("Salinity"),
    "dissolved_oxygen": _sensor("Dissolved oxygen", None, "mg/L"),
    "dissolved_solids": _sensor("Dissolved solids", None, "ppm"),
    "nitrogen": _sensor("Nitrogen", None, "mg/kg"),
    "phosphorus": _sensor("Phosphorus", None, "mg/kg"),
    "potassium": _sensor("Potassium", None, "mg/kg"),
    # Lengths and masses
    "distance": _sensor("Distance", "distance", "mm"),
    "water_level": _sensor("Water level", "distance", "m"),
    "level": _sensor("Level", "distance", "mm"),
    "fill_level": _sensor("Fill level", None, "%"),
    "altitude": _sensor("Altitude", "distance", "m", precision=1),
    "speed": _sensor("Speed", "speed", "km/h", precision=1),
    "weight": _sensor("Weight", "weight", "kg"),
    "valve_position": _sensor("Valve position", None, "%"),
    # Electricity
    "voltage": _sensor("Voltage", "voltage", "V"),
    "current": _sensor("Current", "current", "A"),
    "power": _sensor("Power", "power", "W"),
    "apparent_power": _sensor("Apparent power", "apparent_power", "VA"),
    "reactive_power": _sensor("Reactive power", "reactive_power", "var"),
    "power_factor": _sensor("Power factor", "power_factor"),
    "energy": _sensor("Energy", "energy", "Wh", Role.TOTAL, limits=(-1e12, 1e12)),
    "apparent_energy": _sensor("Apparent energy", None, "VAh", Role.TOTAL),
    "reactive_energy": _sensor("Reactive energy", "reactive_energy", "varh", Role.TOTAL),
    "charge": _sensor("Charge", None, "Ah"),
    "frequency": _sensor("Frequency", "frequency", "Hz"),
    "resistance": _sensor("Resistance", None, "Ω"),
    # Meters and counters
    "water": _sensor("Water", "water", "m³", Role.TOTAL, limits=(-1e6, 1e9)),
    "gas": _sensor("Gas", "gas", "m³", Role.TOTAL, limits=(-1e6, 1e9)),
    "volume": _sensor("Volume", "volume", "m³", Role.TOTAL, limits=(-1e6, 1e9)),
    "volume_flow_rate": _sensor("Flow rate", "volume_flow_rate", "m³/h"),
    "count": _sensor("Count", role=Role.TOTAL),
    "pulses": _sensor("Pulses", role=Role.TOTAL),
    "people": _sensor("People", role=Role.TOTAL),
    "duration": _sensor("Duration", "duration", "s", limits=(-3.2e9, 3.2e9)),
    # Movement
    "acceleration": _sensor("Acceleration", None, "g"),
    "rotation_rate": _sensor("Rotation rate", None, "°/s"),
    "vibration_speed": _sensor("Vibration speed", "speed", "mm/s"),
    "angle": _sensor("Angle", None, "°", precision=1),
    "heading": _sensor("Heading", None, "°", Role.ANGLE, precision=1),
    "heart_rate": _sensor("Heart rate", None, "bpm"),
    "blood_oxygen": _sensor("Blood oxygen", None, "%"),
    # The end device itself
    "battery": _diagnostic("Battery", "battery", "%", limits=(0.0, 110.0), precision=1),
    "battery_voltage": _diagnostic("Battery voltage", "voltage", "V", usual=(0.0, 60.0)),
    "supply_voltage": _diagnostic("Supply voltage", "voltage", "V"),
    "rssi": _diagnostic("RSSI", "signal_strength", "dBm", enabled=False, precision=1),
    "snr": _diagnostic("SNR", "signal_strength", "dB", enabled=False, precision=1),
    "satellites": _diagnostic("Satellites"),
    "hdop": _diagnostic("HDOP", precision=2),
    "accuracy": _diagnostic("Position accuracy", "distance", "m", precision=1),
    "timestamp": _diagnostic("Device time", "timestamp", role=Role.TIMESTAMP),
    "time": Quantity(name="Time", device_class="timestamp", role=Role.TIMESTAMP),
    "firmware_version": _diagnostic("Firmware version", role=Role.STATE),
    "hardware_version": _diagnostic("Hardware version", role=Role.STATE),
    "version": _diagnostic("Version", role=Role.STATE),
    "serial_number": _diagnostic("Serial number", role=Role.STATE),
    "model": _diagnostic("Model", role=Role.STATE),
    "reset_cause": _diagnostic("Reset cause", role=Role.STATE),
    "error_code": _diagnostic("Error code", role=Role.STATE),
    "status": _sensor("Status", role=Role.STATE),
    "mode": _sensor("Mode", role=Role.STATE),
    # True or false
    "leak": _flag("Leak", "moisture"),
    "condensation": _flag("Condensation", "moisture"),
    "battery_low": _flag("Battery low", "battery", Category.DIAGNOSTIC),
    "battery_charging": _flag("Charging", "battery_charging", Category.DIAGNOSTIC),
    "motion": _flag("Motion", "motion"),
    "moving": _flag("Moving", "moving"),
    "occupancy": _flag("Occupancy", "occupancy"),
    "presence": _flag("Presence", "presence"),
    "door": _flag("Door", "door"),
    "window": _flag("Window", "window"),
    "garage_door": _flag("Garage door", "garage_door"),
    "opening": _flag("Opening", "opening"),
    "valve": _flag("Valve", "opening"),
    "lock": _flag("Lock", "lock"),
    "child_lock": _flag("Child lock", "lock", Category.DIAGNOSTIC),
    "tamper": _flag("Tamper", "tamper"),
    "smoke": _flag("Smoke", "smoke"),
    "fire": _flag("Fire", "heat"),
    "gas_detected": _flag("Gas detected", "gas"),
    "carbon_monoxide_detected": _flag("Carbon monoxide detected", "carbon_monoxide"),
    "heat": _flag("Heat", "heat"),
    "cold": _flag("Frost", "cold"),
    "vibration": _flag("Vibration", "vibration"),
    "glass_break": _flag("Glass break", "glass_break"),
    "sound_detected": _flag("Sound", "sound"),
    "safety": _flag("Safety", "safety"),
    "problem": _flag("Problem", "problem"),
    "alarm": _flag("Alarm", "problem"),
    "fault": _flag("Fault", "problem", Category.DIAGNOSTIC),
    "external_power": _flag("External power", "power"),
    "power_outage": _flag("Power outage", "problem"),
    "plug": _flag("Plug", "plug"),
    "connectivity": _flag("Connectivity", "connectivity", Category.DIAGNOSTIC),
    "running": _flag("Running", "running"),
    "tilt": _flag("Tilt"),
    "digital_input": _flag("Digital input"),
    "digital_output": _flag("Digital output"),
    "button_state": _flag("Button"),
    # Places and occurrences
    "position": Quantity(name="Location", kind=Kind.DEVICE_TRACKER, role=Role.POSITION),
    "button": Quantity(name="Button", kind=Kind.EVENT, role=Role.STATE),
}

# Which units Home Assistant takes for a device class; None: no unit. A class that is not here
# takes any. Held against Home Assistant's own table by a test.
_PRESSURE = frozenset(
    ["Pa", "hPa", "kPa", "bar", "cbar", "mbar", "mPa", "mmHg", "inHg", "psi", "atm", "inH₂O"]
)
_ENERGY = frozenset(
    ["J", "kJ", "MJ", "GJ", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "cal", "kcal", "Mcal", "Gcal"]
)
_VOLUME = frozenset(["L", "mL", "m³", "gal", "fl. oz.", "ft³", "CCF", "MCF"])
UNITS_OF_CLASS: dict[str, frozenset[str | None]] = {
    "temperature": frozenset({"°C", "°F", "K"}),
    "temperature_delta": frozenset({"°C", "°F", "K"}),
    "humidity": frozenset({"%"}),
    "moisture": frozenset({"%"}),
    "battery": frozenset({"%"}),
    "absolute_humidity": frozenset({"g/m³", "mg/m³"}),
    "atmospheric_pressure": _PRESSURE,
    "pressure": _PRESSURE,
    "illuminance": frozenset({"lx"}),
    "irradiance": frozenset({"W/m²"}),
    "carbon_dioxide": frozenset({"ppm"}),
    "carbon_monoxide": frozenset({"ppm", "ppb", "μg/m³", "mg/m³"}),
    "volatile_organic_compounds": frozenset({"μg/m³", "mg/m³"}),
    "volatile_organic_compounds_parts": frozenset({"ppb", "ppm"}),
    "aqi": frozenset({None}),
    "ph": frozenset({None}),
    "power_factor": frozenset({None, "%"}),
    "nitrogen_dioxide": frozenset({"ppb", "ppm", "μg/m³"}),
    "nitrogen_monoxide": frozenset({"ppb", "μg/m³"}),
    "ozone": frozenset({"ppb", "ppm", "μg/m³"}),
    "sulphur_dioxide": frozenset({"ppb", "μg/m³"}),
    "radon": frozenset({"Bq/m³", "pCi/L"}),
    "pm1": frozenset({"μg/m³"}),
    "pm25": frozenset({"μg/m³"}),
    "pm4": frozenset({"μg/m³"}),
    "pm10": frozenset({"μg/m³"}),
    "sound_pressure": frozenset({"dB", "dBA"}),
    "signal_strength": frozenset({"dB", "dBm"}),
    "wind_speed": frozenset(
        {"m/s", "km/h", "mph", "kn", "ft/s", "mm/s", "m/min", "in/s", "Beaufort"}
    ),
    "speed": frozenset(
        {
            "m/s",
            "km/h",
            "mph",
            "kn",
            "ft/s",
            "mm/s",
            "m/min",
            "in/s",
            "mm/h",
            "mm/d",
            "in/h",
            "in/d",
        }
    ),
    "wind_direction": frozenset({"°"}),
    "precipitation": frozenset({"mm", "cm", "in"}),
    "precipitation_intensity": frozenset({"mm/h", "mm/d", "in/h", "in/d"}),
    "distance": frozenset({"mm", "cm", "m", "km", "in", "ft", "yd", "mi", "nmi"}),
    "conductivity": frozenset({"μS/cm", "mS/cm", "S/cm"}),
    "weight": frozenset({"g", "kg", "mg", "μg", "lb", "oz"}),
    "voltage": frozenset({"V", "mV", "μV", "kV", "MV"}),
    "current": frozenset({"A", "mA", "μA"}),
    "power": frozenset({"W", "mW", "kW", "MW", "GW", "TW"}),
    "apparent_power": frozenset({"VA", "mVA", "kVA"}),
    "reactive_power": frozenset({"var", "kvar", "mvar"}),
    "energy": _ENERGY,
    "reactive_energy": frozenset({"varh", "kvarh"}),
    "frequency": frozenset({"Hz", "kHz", "MHz", "GHz", "mHz"}),
    "water": _VOLUME - {"mL", "fl. oz."},
    "gas": _VOLUME - {"mL", "gal", "fl. oz."},
    "volume": _VOLUME,
    "volume_flow_rate": frozenset(
        {
            "m³/h",
            "m³/min",
            "m³/s",
            "L/h",
            "L/min",
            "L/s",
            "mL/s",
            "gal/min",
            "gal/h",
            "gal/d",
            "ft³/min",
        }
    ),
    "duration": frozenset({"d", "h", "min", "s", "ms", "μs"}),
    "timestamp": frozenset({None}),
}

# Where a unit contradicts the quantity that the name promised, another quantity or, if its
# unit is of a legal dimension, a conversion: (quantity, unit) -> (quantity, unit, scale)
INSTEAD: dict[tuple[str, str], tuple[str, str, float]] = {
    ("volatile_organic_compounds_parts", "μg/m³"): ("volatile_organic_compounds", "μg/m³", 1),
    ("volatile_organic_compounds_parts", "mg/m³"): ("volatile_organic_compounds", "mg/m³", 1),
    ("volatile_organic_compounds", "ppb"): ("volatile_organic_compounds_parts", "ppb", 1),
    ("volatile_organic_compounds", "ppm"): ("volatile_organic_compounds_parts", "ppm", 1),
    ("battery", "V"): ("battery_voltage", "V", 1),
    ("battery", "mV"): ("battery_voltage", "mV", 1),
    ("battery_voltage", "%"): ("battery", "%", 1),
    ("distance", "μm"): ("distance", "mm", 1e-3),
    ("distance", "dm"): ("distance", "cm", 10),
    ("wind_speed", "cm/s"): ("wind_speed", "m/s", 0.01),
    ("speed", "cm/s"): ("speed", "m/s", 0.01),
    ("illuminance", "klx"): ("illuminance", "lx", 1000),
    ("level", "%"): ("fill_level", "%", 1),
    ("water_level", "%"): ("fill_level", "%", 1),
    ("duration", "w"): ("duration", "d", 7),
    ("energy", "varh"): ("reactive_energy", "varh", 1),
    ("energy", "kvarh"): ("reactive_energy", "kvarh", 1),
    ("energy", "VAh"): ("apparent_energy", "VAh", 1),
    ("energy", "m³"): ("volume", "m³", 1),
    ("energy", "L"): ("volume", "L", 1),
    ("power", "VA"): ("apparent_power", "VA", 1),
    ("power", "kVA"): ("apparent_power", "kVA", 1),
    ("power", "var"): ("reactive_power", "var", 1),
    ("power", "kvar"): ("reactive_power", "kvar", 1),
    ("power", "m³/h"): ("volume_flow_rate", "m³/h", 1),
    ("power", "dBm"): ("rssi", "dBm", 1),
    ("power_factor", "W"): ("power", "W", 1),
    ("precipitation", "mm/h"): ("precipitation_intensity", "mm/h", 1),
    ("precipitation_intensity", "mm"): ("precipitation", "mm", 1),
    ("vibration_speed", "g"): ("acceleration", "g", 1),
    ("acceleration", "mm/s"): ("vibration_speed", "mm/s", 1),
    ("irradiance", "μmol/(m²⋅s)"): ("par", "μmol/(m²⋅s)", 1),
    ("carbon_monoxide", "%"): ("carbon_monoxide", "ppm", 10_000),
    ("carbon_dioxide", "%"): ("carbon_dioxide", "ppm", 10_000),
    ("carbon_dioxide", "ppb"): ("carbon_dioxide", "ppm", 0.001),
    ("sulphur_dioxide", "ppm"): ("sulphur_dioxide", "ppb", 1000),
    ("nitrogen_monoxide", "ppm"): ("nitrogen_monoxide", "ppb", 1000),
}

# What a unit says where the name says nothing.
BY_UNIT: dict[str, str] = {
    "°C": "temperature",
    "°F": "temperature",
    "V": "voltage",
    "mV": "voltage",
    "A": "current",
    "mA": "current",
    "μA": "current",
    "W": "power",
    "kW": "power",
    "Wh": "energy",
    "kWh": "energy",
    "MWh": "energy",
    "varh": "reactive_energy",
    "kvarh": "reactive_energy",
    "VA": "apparent_power",
    "kVA": "apparent_power",
    "var": "reactive_power",
    "kvar": "reactive_power",
    "lx": "illuminance",
    "Hz": "frequency",
    "dBm": "rssi",
    "W/m²": "irradiance",
    "μS/cm": "conductivity",
    "mS/cm": "conductivity",
    "cbar": "pressure",
    "psi": "pressure",
    "hPa": "pressure",
    "kPa": "pressure",
    "Pa": "pressure",
    "bar": "pressure",
    "mbar": "pressure",
    "mm": "distance",
    "cm": "distance",
    "m": "distance",
    "km": "distance",
    "m³/h": "volume_flow_rate",
    "L/h": "volume_flow_rate",
    "L/min": "volume_flow_rate",
    "m³": "volume",
    "L": "volume",
    "km/h": "speed",
    "m/s": "speed",
    "mm/s": "vibration_speed",
    "kg": "weight",
    "g": "acceleration",
    "m/s²": "acceleration",
    "Ω": "resistance",
    "s": "duration",
    "min": "duration",
    "h": "duration",
    "d": "duration",
    "ms": "duration",
    "Bq/m³": "radon",
    "NTU": "turbidity",
    "FNU": "turbidity",
    "°/s": "rotation_rate",
    "VAh": "apparent_energy",
    "Ah": "charge",
    "mAh": "charge",
    "μmol/(m²⋅s)": "par",
    "mm/h": "precipitation_intensity",
    "dBA": "sound_pressure",
}
