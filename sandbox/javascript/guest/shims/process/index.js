// What readable-stream takes for Node's process.
module.exports = require('../../node/process.js').process;
