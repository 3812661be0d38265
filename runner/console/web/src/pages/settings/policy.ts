/** What is recorded, as the form has it; `sample` in per cent. */
export interface Policy {
  readonly all: boolean;
  readonly failures: boolean;
  readonly denials: boolean;
  readonly sample: number;
}

const PARTS_PER_CENT = 100;

/** From the service's text, such as `failures,denials,sample:0.05`. */
export function parsePolicy(text: string): Policy {
  const words = text.split(",").map((word) => word.trim());
  const sample = words.find((word) => word.startsWith("sample"))?.split(":")[1] ?? "0";
  return {
    all: words.includes("all"),
    failures: words.includes("failures"),
    denials: words.includes("denials"),
    sample: tidy((Number(sample) || 0) * PARTS_PER_CENT),
  };
}

/** As the service takes it; `off` when nothing is recorded. */
export function policyText({ all, failures, denials, sample }: Policy): string {
  if (all) {
    return "all";
  }
  const share = tidy(Math.min(PARTS_PER_CENT, Math.max(0, sample)) / PARTS_PER_CENT);
  const words = [failures && "failures", denials && "denials", share > 0 && `sample:${share.toFixed(6).replace(/\.?0+$/, "")}`];
  return words.filter(Boolean).join(",") || "off";
}

/** Millionths are all that the service keeps. */
function tidy(number: number): number {
  return Math.round(number * 1e6) / 1e6;
}
