"""What installers write down: the site, the settings, the profiles of devices."""
