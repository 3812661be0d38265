exports.is = "folder";
