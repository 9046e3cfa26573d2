// A real OpenID provider (the package oidc-provider) for end-to-end tests.
//
//   node provider.mjs DIRECTORY-WITH-NODE_MODULES [ALG]
//
// Listens on a port of the system's choice on loopback and prints one line of JSON with its
// issuer. Ends when its standard input ends, so that it never outlives the test that started it.
// Tokens: POST /token with client_credentials, client "machine", secret "machine-secret", and a
// resource from `resources` below; the access token is a JWT (typ at+jwt) signed with ALG.
//   POST /control/rotate             a new signing key, the old ones stay published
//   POST /control/rotate?overlap=no  a new signing key, the old ones are gone

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [directory, alg = 'RS256'] = process.argv.slice(2);
const { Provider, errors } = await load('oidc-provider');

const resources = {
  'https://orders.example.test': { scope: 'orders:read orders:write', audience: 'orders-api' },
  'https://billing.example.test': { scope: 'billing:read', audience: 'billing-api' },
  'https://mcp.example.test/mcp': { scope: 'mcp:tools', audience: 'https://mcp.example.test/mcp' },
};

async function load(name) {
  const resolve = createRequire(pathToFileURL(`${directory}/`)).resolve;
  const module = await import(pathToFileURL(resolve(name)));
  return { Provider: module.Provider ?? module.default, errors: module.errors };
}

function newKey() {
  const pair = alg.startsWith('ES') ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : alg === 'EdDSA' ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...pair.privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg, use: 'sig' };
}

function makeProvider(issuer, keys) {
  return new Provider(issuer, {
    jwks: { keys },
    clients: [{
      client_id: 'machine',
      client_secret: 'machine-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'orders:read orders:write billing:read mcp:tools',
    }],
    scopes: ['orders:read', 'orders:write', 'billing:read', 'mcp:tools'],
    cookies: { keys: [randomUUID()] },
    // There is one key only, so the id tokens (which nobody asks for) must be of its algorithm too.
    clientDefaults: { id_token_signed_response_alg: alg },
    enabledJWA: { idTokenSigningAlgValues: [alg] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => Object.keys(resources)[0],
        useGrantedResource: () => true,
        getResourceServerInfo(ctx, resource) {
          const known = resources[resource];
          if (!known) throw new errors.InvalidTarget();
          return {
            ...known,
            accessTokenTTL: 300,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg } },
          };
        },
      },
    },
  });
}

let keys = [newKey()];
let handle;
const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/control/rotate' && request.method === 'POST') {
    const overlap = url.searchParams.get('overlap') !== 'no';
    keys = [newKey(), ...(overlap ? keys : [])];
    handle = makeProvider(issuer, keys).callback();
    const body = JSON.stringify({ kid: keys[0].kid, published: keys.map((key) => key.kid) });
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  } else {
    handle(request, response);
  }
});

await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const issuer = `http://127.0.0.1:${server.address().port}`;
handle = makeProvider(issuer, keys).callback();
console.log(JSON.stringify({ issuer, kid: keys[0].kid }));

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));
