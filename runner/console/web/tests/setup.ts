import { configure } from "@testing-library/preact";

configure({ asyncUtilTimeout: 60_000 }); // no test is about the machine's speed
