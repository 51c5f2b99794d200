"""Changes to end devices in The Things Stack: register, edit, replace, delete, complete."""
