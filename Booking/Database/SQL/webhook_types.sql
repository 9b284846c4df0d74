SELECT types FROM webhook_endpoint WHERE enabled
