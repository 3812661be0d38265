// Each name as a literal, which is looked up when the package is bundled.
module.exports = [
  require("./index.js").is, require("../near").is, require("../near/").is, require("../near.js").is, require(".").is, require("./").is,
  require("../data/twice"), require("../folder"), require("../lib").name, require("../lib/index").name,
];
