import type { Person } from './demo.ts';

interface Props {
  token: string;
  /** Null until it is known whether the service is a demo. */
  people: readonly Person[] | null;
  onToken: (token: string) => void;
}

/** The token, and where one comes from: the people of a demo, else whoever may sign. */
export function TokenHelper({ token, people, onToken }: Props) {
  const products = [...new Set(people?.map(({ product }) => product))];
  return (
    <div class="token">
      {people && people.length > 0 && (
        <label>
          Ask as{' '}
          <select
            value={people.some((one) => one.token === token) ? token : ''}
            onChange={(event) => onToken(event.currentTarget.value)}
          >
            <option value="">nobody</option>
            {products.map((product) => (
              <optgroup key={product} label={product}>
                {people
                  .filter((one) => one.product === product)
                  .map(({ name, organization, token: own }) => (
                    <option key={own} value={own}>
                      {name} ({organization})
                    </option>
                  ))}
              </optgroup>
            ))}
          </select>
        </label>
      )}
      <label class="typed">
        Token{' '}
        <input
          type="password"
          autocomplete="off"
          spellcheck={false}
          placeholder="Bearer token; stays in this tab"
          value={token}
          onInput={(event) => onToken(event.currentTarget.value.trim())}
        />
      </label>
      {!token && people?.length === 0 && (
        <details class="help">
          <summary>Where does a token come from?</summary>
          <p>
            From whoever signs people in: the identity provider that the product’s file names, or your backend with the
            product’s key. To try it, sign one where the service runs:
          </p>
          <code>ledgerline token --product NAME --organization ID --scopes "audit:read audit:record"</code>
        </details>
      )}
    </div>
  );
}
