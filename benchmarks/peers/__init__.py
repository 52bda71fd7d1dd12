"""The peers, a module each; its package is imported when the module is."""
