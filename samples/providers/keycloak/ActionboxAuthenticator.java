package example.actionbox;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.keycloak.Config;
import org.keycloak.authentication.AuthenticationFlowContext;
import org.keycloak.authentication.AuthenticationFlowError;
import org.keycloak.authentication.Authenticator;
import org.keycloak.authentication.AuthenticatorFactory;
import org.keycloak.models.AuthenticationExecutionModel.Requirement;
import org.keycloak.models.ClientModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.models.RealmModel;
import org.keycloak.models.UserModel;
import org.keycloak.provider.ProviderConfigProperty;

/**
 * Asks actionbox about each login: what its Actions on `post-login` deny is denied, and claims that they set
 * become notes of the user's session, for the mapper User Session Note. Whatever cannot be carried, and every
 * fault, is a no.
 *
 * <p>Environment: ACTIONBOX_URL, ACTIONBOX_TENANT, ACTIONBOX_CLIENT_ID, ACTIONBOX_CLIENT_SECRET.
 */
public final class ActionboxAuthenticator implements Authenticator, AuthenticatorFactory {
    private static final String DENIED = "Access was denied.";
    private static final Set<String> CARRIED = Set.of("id_token_claims", "access_token_claims");
    private static final Set<String> HARMLESS =
            Set.of("decision", "denial", "dropped_claims", "warnings", "transaction_metadata");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private static String token = "";
    private static Instant until = Instant.EPOCH;

    @Override
    public void authenticate(AuthenticationFlowContext context) {
        String reason = DENIED;
        try {
            JsonNode asked = JSON.createObjectNode().set("event", event(context));
            JsonNode outcome = post("/runtime/v1/triggers/post-login/invoke", asked, token());
            JsonNode effects = outcome.path("effects");
            if (outcome.path("decision").asText().equals("allow") && !losesSomething(effects)) {
                for (String kind : CARRIED) {
                    effects.path(kind).fields().forEachRemaining(claim -> context.getAuthenticationSession()
                            .setUserSessionNote(claim.getKey(), text(claim.getValue())));
                }
                context.success();
                return;
            }
            if (outcome.path("decision").asText().equals("deny")) {
                reason = effects.path("denial").path("reason").asText(DENIED);
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (Exception fault) {
            System.err.println("actionbox: " + fault);
        }
        Response page = context.form().setError(reason).createErrorPage(Response.Status.FORBIDDEN);
        context.failure(AuthenticationFlowError.ACCESS_DENIED, page);
    }

    private static ObjectNode event(AuthenticationFlowContext context) {
        UserModel user = context.getUser();
        ClientModel client = context.getAuthenticationSession().getClient();
        String realm = context.getRealm().getName();
        long at = user.getCreatedTimestamp() == null ? 0 : user.getCreatedTimestamp();
        String created = Instant.ofEpochMilli(at).toString();
        String agent = context.getHttpRequest().getHttpHeaders().getHeaderString("User-Agent");
        ObjectNode event = JSON.createObjectNode();
        event.putObject("tenant").put("id", System.getenv("ACTIONBOX_TENANT"));
        event.putObject("client").put("client_id", client.getClientId())
                .put("name", client.getName() == null ? "" : client.getName()).putObject("metadata");
        event.putObject("connection").put("id", realm).put("name", realm).put("strategy", "auth0");
        ObjectNode request = event.putObject("request").put("method", "POST")
                .put("ip", context.getConnection().getRemoteAddr())
                .put("user_agent", agent == null ? "" : agent);
        for (String empty : List.of("geoip", "query", "body")) {
            request.putObject(empty);
        }
        event.putObject("authentication").putArray("methods");
        ArrayNode roles = event.putObject("authorization").putArray("roles");
        user.getRealmRoleMappingsStream().forEach(role -> roles.add(role.getName()));
        event.putObject("stats").put("logins_count", 0);
        event.putObject("transaction").put("protocol", "oidc-basic-profile").putArray("requested_scopes");
        ObjectNode known = event.putObject("user").put("user_id", user.getId())
                .put("username", user.getUsername()).put("email_verified", user.isEmailVerified())
                .put("created_at", created).put("updated_at", created);
        put(known, "email", user.getEmail());
        put(known, "given_name", user.getFirstName());
        put(known, "family_name", user.getLastName());
        known.putArray("identities");
        known.putObject("app_metadata");
        known.putObject("user_metadata");
        return event;
    }

    private static void put(ObjectNode node, String name, String value) {
        if (value != null && !value.isEmpty()) {
            node.put(name, value);
        }
    }

    /** Whether an Action asked for more than notes of the session can hold. */
    private static boolean losesSomething(JsonNode effects) {
        for (var names = effects.fields(); names.hasNext(); ) {
            var effect = names.next();
            String name = effect.getKey();
            if (!CARRIED.contains(name) && !HARMLESS.contains(name) && asks(effect.getValue())) {
                return true;
            }
        }
        return false;
    }

    private static boolean asks(JsonNode value) {
        if (value.isObject()) {
            for (JsonNode item : value) {
                if (asks(item)) {
                    return true;
                }
            }
            return false;
        }
        boolean nothing = value.isNull() || value.isArray() && value.isEmpty();
        boolean no = value.isBoolean() && !value.asBoolean() || value.isTextual() && value.asText().isEmpty();
        return !nothing && !no;
    }

    private static String text(JsonNode value) {
        return value.isTextual() ? value.asText() : value.toString();
    }

    private static synchronized String token() throws Exception {
        if (Instant.now().isAfter(until)) {
            ObjectNode asked = JSON.createObjectNode().put("grant_type", "client_credentials")
                    .put("client_id", System.getenv("ACTIONBOX_CLIENT_ID"))
                    .put("client_secret", System.getenv("ACTIONBOX_CLIENT_SECRET"))
                    .put("audience", System.getenv("ACTIONBOX_URL") + "/runtime/v1/");
            JsonNode given = post("/oauth/token", asked, "");
            until = Instant.now().plusSeconds(given.path("expires_in").asLong() - 60);
            token = given.path("access_token").asText();
        }
        return token;
    }

    private static JsonNode post(String path, JsonNode body, String bearer) throws Exception {
        HttpRequest.Builder asked = HttpRequest.newBuilder(URI.create(System.getenv("ACTIONBOX_URL") + path))
                .timeout(Duration.ofSeconds(10)).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)));
        if (!bearer.isEmpty()) {
            asked.header("Authorization", "Bearer " + bearer);
        }
        HttpResponse<byte[]> answer = HTTP.send(asked.build(), HttpResponse.BodyHandlers.ofByteArray());
        if (answer.statusCode() != 200) {
            throw new IllegalStateException(path + " answered " + answer.statusCode());
        }
        return JSON.readTree(answer.body());
    }

    @Override
    public void action(AuthenticationFlowContext context) {
        authenticate(context);
    }

    @Override
    public boolean requiresUser() {
        return true;
    }

    @Override
    public boolean configuredFor(KeycloakSession session, RealmModel realm, UserModel user) {
        return true;
    }

    @Override
    public void setRequiredActions(KeycloakSession session, RealmModel realm, UserModel user) {}

    @Override
    public Authenticator create(KeycloakSession session) {
        return this;
    }

    @Override
    public String getId() {
        return "actionbox";
    }

    @Override
    public String getDisplayType() {
        return "actionbox: Actions after the login";
    }

    @Override
    public String getReferenceCategory() {
        return "actionbox";
    }

    @Override
    public String getHelpText() {
        return "Runs the tenant's Actions on post-login.";
    }

    @Override
    public boolean isConfigurable() {
        return false;
    }

    @Override
    public boolean isUserSetupAllowed() {
        return false;
    }

    @Override
    public Requirement[] getRequirementChoices() {
        return new Requirement[] {Requirement.REQUIRED, Requirement.DISABLED};
    }

    @Override
    public List<ProviderConfigProperty> getConfigProperties() {
        return List.of();
    }

    @Override
    public void init(Config.Scope config) {}

    @Override
    public void postInit(KeycloakSessionFactory factory) {}

    @Override
    public void close() {}
}
