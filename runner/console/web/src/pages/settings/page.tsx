import type { ComponentType } from "preact";
import { isOperator, may } from "../../api/session";
import { Empty, PageHead } from "../../components/parts";
import { Link } from "../../router/link";
import { to } from "../../router/router";
import { texts } from "../../texts";
import type { PageProps } from "..";
import { AuditTrail } from "./audit";
import { Clients } from "./clients";
import { Hooks } from "./hooks";
import { Hosts } from "./hosts";
import { Recording } from "./recording";
import { Sessions } from "./sessions";
import { Tenants } from "./tenants";

interface Section {
  readonly name: keyof typeof texts.settings.sections;
  readonly scope: string;
  readonly part: ComponentType;
}

const SECTIONS: readonly Section[] = [
  { name: "recording", scope: "read:actions", part: Recording },
  { name: "hosts", scope: "read:actions", part: Hosts },
  { name: "clients", scope: "read:clients", part: Clients },
  { name: "hooks", scope: "read:identity_provider_hooks", part: Hooks },
  { name: "sessions", scope: "read:sessions", part: Sessions },
  { name: "audit", scope: "read:audit", part: AuditTrail },
];
const TENANTS: Section = { name: "tenants", scope: "operate:tenants", part: Tenants };

/** Settings of the tenant; each section has its own address. */
export default function SettingsPage({ params }: Partial<PageProps>) {
  const sections = isOperator() ? [...SECTIONS, TENANTS] : SECTIONS;
  const current = sections.find(({ name }) => name === (params?.["section"] ?? "recording"));
  return (
    <>
      <PageHead title={texts.navigation.settings} />
      <nav class="tabs" aria-label={texts.navigation.settings}>
        {sections.map(({ name }) => (
          <Link key={name} to={to`/settings/${name}`} aria-current={name === current?.name ? "page" : undefined}>
            {texts.settings.sections[name]}
          </Link>
        ))}
      </nav>
      {!current && <Empty title={texts.notFound.title} />}
      {current && !may(current.scope) && <p class="note">{texts.forbidden(current.scope)}</p>}
      {current && may(current.scope) && <current.part key={current.name} />}
    </>
  );
}
