import { Field } from "../../components/field";
import { Hostile } from "../../components/hostile";
import { plain } from "../../components/escape";
import { Badge } from "../../components/parts";
import { Link } from "../../router/link";
import { to } from "../../router/router";
import { Icon } from "../../shell/icons";
import { texts } from "../../texts";
import type { FailPolicy, Item } from "./flow";

interface Props {
  item: Item;
  index: number;
  count: number;
  selected: boolean;
  editable: boolean;
  onSelect: () => void;
  /** `focus`: the handle has it again afterwards. */
  onMove: (to: number, focus: boolean) => void;
  /** The pointer that holds the handle is at this height of the window. */
  onDrag: (y: number) => void;
  /** Null takes the Action out of the flow. */
  onChange: (item: Item | null) => void;
}

const words = texts.triggers;
const POLICIES: readonly FailPolicy[] = ["fail_closed", "fail_open", "last_good"];

/** One Action of a flow: its place, and what happens when it fails or takes too much. */
export function ItemCard(props: Props) {
  const { item, index, count, selected, editable, onChange } = props;
  const name = plain(item.name, 60);
  return (
    <li class={selected ? "flow-item selected" : "flow-item"} onFocusIn={props.onSelect}>
      {editable && <Handle {...props} name={name} />}
      <div class="flow-item-name">
        <span class="muted small">{index + 1}</span>
        <Link to={to`/actions/${item.actionId}`}>
          <Hostile text={item.name} limit={80} brief />
        </Link>
        {item.version !== undefined && <Badge>{words.version(item.version)}</Badge>}
        {!item.deployed && <Badge tone="warn">{words.undeployed}</Badge>}
      </div>
      <div class="flow-item-settings">
        <Field label={words.failPolicy}>
          {(ids) => (
            <select
              {...ids}
              disabled={!editable}
              value={item.failPolicy ?? ""}
              onChange={(event) =>
                onChange({ ...item, failPolicy: (event.currentTarget.value || undefined) as FailPolicy | undefined })
              }
            >
              <option value="">{words.policies.usual}</option>
              {POLICIES.map((policy) => (
                <option key={policy} value={policy}>
                  {words.policies[policy]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Limit
          label={words.wallMs}
          value={item.wallMs}
          least={1}
          most={600_000}
          disabled={!editable}
          onChange={(wallMs) => onChange({ ...item, wallMs })}
        />
        <Limit
          label={words.memoryMb}
          value={item.memoryMb}
          least={32}
          most={2048}
          disabled={!editable}
          onChange={(memoryMb) => onChange({ ...item, memoryMb })}
        />
      </div>
      {editable && (
        <div class="flow-item-tools">
          <button type="button" class="quiet icon" aria-label={words.moveUp(name)} disabled={index === 0} onClick={() => props.onMove(index - 1, false)}>
            <Icon name="up" />
          </button>
          <button type="button" class="quiet icon" aria-label={words.moveDown(name)} disabled={index === count - 1} onClick={() => props.onMove(index + 1, false)}>
            <Icon name="down" />
          </button>
          <button type="button" class="quiet icon" aria-label={words.unbind(name)} onClick={() => onChange(null)}>
            ×
          </button>
        </div>
      )}
    </li>
  );
}

/** What the card is dragged by; with the focus the arrow keys move it. */
function Handle({ index, name, onMove, onDrag }: Props & { name: string }) {
  return (
    <button
      type="button"
      class="quiet icon handle"
      aria-label={words.handle(name)}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) {
          onDrag(event.clientY);
        }
      }}
      onKeyDown={(event) => {
        const by = event.altKey ? 0 : { ArrowUp: -1, ArrowDown: 1 }[event.key];
        if (by) {
          event.preventDefault();
          onMove(index + by, true);
        }
      }}
    >
      <Icon name="drag" />
    </button>
  );
}

interface LimitProps {
  label: string;
  value: number | undefined;
  least: number;
  most: number;
  disabled: boolean;
  onChange: (value: number | undefined) => void;
}

function Limit({ label, value, least, most, disabled, onChange }: LimitProps) {
  return (
    <Field label={label}>
      {(ids) => (
        <input
          {...ids}
          type="number"
          inputMode="numeric"
          min={least}
          max={most}
          step={1}
          placeholder={words.usual}
          disabled={disabled}
          value={value ?? ""}
          onChange={(event) => {
            const { valueAsNumber } = event.currentTarget;
            onChange(Number.isNaN(valueAsNumber) ? undefined : Math.round(Math.min(most, Math.max(least, valueAsNumber))));
          }}
        />
      )}
    </Field>
  );
}
