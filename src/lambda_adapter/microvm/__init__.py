"""AWS_LWA_MICROVM_HOOKS_PORT: the hooks of Lambda MicroVMs, beside any web server."""
