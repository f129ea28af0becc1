// Reads bills of materials with CycloneDX's own JavaScript library; prints one line a file.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "package.json"));
const { Spec, Validation } = require("@cyclonedx/cyclonedx-library");
const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
for (const file of process.argv.slice(2)) {
  const found = await validator.validate(fs.readFileSync(file, "utf-8"));
  console.log(found === null ? "valid" : JSON.stringify(found));
}
