"""AWS_LWA_MICROVM_HOOKS_PORT: serve the hooks of Lambda MicroVMs for a web server."""
