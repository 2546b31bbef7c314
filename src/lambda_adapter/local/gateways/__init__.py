"""Gateways turn a request into an event, and a reply into a response.

This is the inverse of ``lambda_adapter.events``, including what each gateway loses on
the way. It does no I/O: the clock and the ids are arguments.
"""

from lambda_adapter.local.gateways.alb import Alb, AlbMultiValue
from lambda_adapter.local.gateways.gateway import Gateway
from lambda_adapter.local.gateways.http_api import FunctionUrl, HttpApi
from lambda_adapter.local.gateways.rest_api import RestApi
from lambda_adapter.local.gateways.vpc_lattice import VpcLattice

GATEWAYS: dict[str, type[Gateway]] = {
    each.name: each
    for each in (HttpApi, RestApi, Alb, AlbMultiValue, FunctionUrl, VpcLattice)
}
"""Each kind of gateway, by its name on the command line."""
