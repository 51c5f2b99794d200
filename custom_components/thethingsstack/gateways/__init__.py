"""Gateways: their status, entities and dialogue."""

from .coordinator import SUBENTRY_GATEWAY, GatewayCoordinator, Gateways, async_remove_gateway

__all__ = ["SUBENTRY_GATEWAY", "GatewayCoordinator", "Gateways", "async_remove_gateway"]
