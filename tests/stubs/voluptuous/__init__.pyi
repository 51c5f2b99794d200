# Home Assistant installs probatio under voluptuous' name at run time; mypy must see the same.
from probatio import *
