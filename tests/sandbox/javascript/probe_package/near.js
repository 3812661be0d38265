exports.is = "file";
