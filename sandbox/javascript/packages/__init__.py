"""The files of npm packages, as the JavaScript guest reads and loads them."""
