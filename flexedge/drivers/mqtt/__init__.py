"""Devices that speak through an MQTT broker."""
