// The Auth emulator of firebase-tools alone, on a port of loopback that is printed. Argument: the project.
const { createApp } = require("firebase-tools/lib/emulator/auth/server");

createApp(process.argv[2]).then((app) => {
  const server = app.listen(0, "127.0.0.1", () => console.log(`port ${server.address().port}`));
});
