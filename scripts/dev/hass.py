"""Run Home Assistant with the built-in integrations that a hub's user meets, and no more.

Takes the arguments of `hass`. Leaves out what needs hardware, the cloud or compiled audio codecs.
"""

import sys
from types import ModuleType

from homeassistant import bootstrap
from homeassistant.__main__ import main

LEFT_OUT = {
    "ai_task",
    "analytics",
    "assist_satellite",
    "backup",
    "camera",
    "conversation",
    "hardware",
    "image",
    "image_processing",
    "media_player",
    "stt",
    "tts",
    "wake_word",
}
# The frontend's list of actions imports the voice and camera platforms, and they these: two have
# no wheels for this Python, one needs a library of the system.
STAND_INS = {
    "pymicro_vad": "MicroVad",
    "pyspeex_noise": "AudioProcessor",
    "turbojpeg": "TurboJPEG",
}


def run() -> int:
    """Run until Home Assistant stops; returns its exit code."""
    for module_name, class_name in STAND_INS.items():
        module = ModuleType(module_name)
        setattr(module, class_name, type(class_name, (), {}))
        sys.modules[module_name] = module
    bootstrap.DEFAULT_INTEGRATIONS = bootstrap.DEFAULT_INTEGRATIONS - LEFT_OUT
    return main()


if __name__ == "__main__":
    sys.exit(run())
