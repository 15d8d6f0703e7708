import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Serializable;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import net.spy.memcached.AddrUtil;
import net.spy.memcached.BinaryConnectionFactory;
import net.spy.memcached.CASResponse;
import net.spy.memcached.CASValue;
import net.spy.memcached.ConnectionFactory;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.ConnectionFactoryBuilder.Locator;
import net.spy.memcached.ConnectionFactoryBuilder.Protocol;
import net.spy.memcached.DefaultHashAlgorithm;
import net.spy.memcached.KetamaNodeKeyFormatter;
import net.spy.memcached.KetamaNodeLocator;
import net.spy.memcached.MemcachedClient;
import net.spy.memcached.MemcachedNode;
import net.spy.memcached.NodeLocator;
import net.spy.memcached.auth.AuthDescriptor;
import net.spy.memcached.auth.PlainCallbackHandler;

/** Drives spymemcached: answers requests by calling the method that each names. */
public final class Spymemcached {
  /** An object of a class of its own, which only Java's serialization can store. */
  record Point(int x, int y) implements Serializable {}

  private MemcachedClient client;
  private long timeout; // milliseconds

  public static void main(String[] args) throws Exception {
    Logger.getLogger("net.spy.memcached").setLevel(Level.SEVERE);
    System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SunLogger");
    var driver = new Spymemcached();
    var gson = new Gson().newBuilder().serializeNulls().create();
    var in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    var out = new PrintStream(System.out, true, "UTF-8");
    for (String line; (line = in.readLine()) != null; ) {
      var answer = new JsonObject();
      try {
        answer.add("result", driver.answer(JsonParser.parseString(line).getAsJsonObject()));
      } catch (Exception e) { // every failure is an answer
        answer.addProperty("error", e.toString());
      }
      out.println(gson.toJson(answer));
    }
    if (driver.client != null) {
      driver.client.shutdown();
    }
  }

  private JsonElement answer(JsonObject request) throws Exception {
    String op = request.get("op").getAsString();
    String key = request.has("key") ? request.get("key").getAsString() : null;
    Object value = request.has("value") ? unpack(request.getAsJsonObject("value")) : null;
    int ttl = request.has("ttl") ? request.get("ttl").getAsInt() : 0;
    switch (op) {
      case "open":
        open(request);
        return JsonNull.INSTANCE;
      case "set":
        return done(client.set(key, ttl, value));
      case "add":
        return done(client.add(key, ttl, value));
      case "append":
        return done(client.append(key, value));
      case "get":
        return pack(client.get(key));
      case "get_json":
        return tagged("json", JsonParser.parseString((String) client.get(key)));
      case "set_multi":
        return setMulti(request.getAsJsonObject("values"));
      case "get_multi":
        return getMulti(request.getAsJsonArray("keys"));
      case "delete":
        return done(client.delete(key));
      case "touch":
        return done(client.touch(key, ttl));
      case "incr":
        return new JsonPrimitive(
            Long.toUnsignedString(client.incr(key, by(request), request.get("initial").getAsLong())));
      case "decr":
        return new JsonPrimitive(
            Long.toUnsignedString(client.decr(key, by(request), request.get("initial").getAsLong())));
      case "gets":
        return gets(key);
      case "cas":
        return new JsonPrimitive(client.cas(key, request.get("cas").getAsLong(), value) == CASResponse.OK);
      case "flush":
        return done(client.flush());
      default:
        throw new IllegalArgumentException("no operation " + op);
    }
  }

  private void open(JsonObject request) throws Exception {
    var addresses = new ArrayList<InetSocketAddress>();
    var weights = new HashMap<InetSocketAddress, Integer>();
    for (JsonElement server : request.getAsJsonArray("servers")) {
      InetSocketAddress address = AddrUtil.getAddresses(server.getAsString()).get(0);
      addresses.add(address);
      if (request.has("weights")) {
        JsonElement weight = request.getAsJsonObject("weights").get(server.getAsString());
        weights.put(address, weight == null ? 1 : weight.getAsInt());
      }
    }
    if (client != null) {
      client.shutdown();
    }
    var options = request.has("options") ? request.getAsJsonObject("options") : new JsonObject();
    timeout = options.has("timeout") ? options.get("timeout").getAsLong() : 15_000;
    AuthDescriptor auth = null;
    if (request.has("username")) {
      var mechanism = options.has("mechanism") ? options.get("mechanism").getAsString() : "PLAIN";
      var username = request.get("username").getAsString();
      var password = request.get("password").getAsString();
      var handler = new PlainCallbackHandler(username, password);
      auth = new AuthDescriptor(new String[] {mechanism}, handler);
    }
    client = new MemcachedClient(options.has("defaults") ? defaults(auth) : factory(auth, weights), addresses);
  }

  /** Connects as BinaryConnectionFactory does: ARRAY_MOD with NATIVE_HASH. */
  private ConnectionFactory defaults(AuthDescriptor auth) {
    return new ConnectionFactoryBuilder()
        .setProtocol(Protocol.BINARY)
        .setAuthDescriptor(auth)
        .setOpTimeout(timeout)
        .setDaemon(true)
        .build();
  }

  private ConnectionFactory factory(AuthDescriptor auth, Map<InetSocketAddress, Integer> weights) {
    if (!weights.isEmpty()) {
      return new WeightedFactory(weights, auth, timeout);
    }
    return new ConnectionFactoryBuilder()
        .setProtocol(Protocol.BINARY)
        .setLocatorType(Locator.CONSISTENT)
        .setHashAlg(DefaultHashAlgorithm.KETAMA_HASH)
        .setAuthDescriptor(auth)
        .setOpTimeout(timeout)
        .setDaemon(true)
        .build();
  }

  /** Connects as the builder does, to servers with weights, which it does not know. */
  private static final class WeightedFactory extends BinaryConnectionFactory {
    private final Map<InetSocketAddress, Integer> weights;
    private final AuthDescriptor auth;
    private final long timeout;

    WeightedFactory(Map<InetSocketAddress, Integer> weights, AuthDescriptor auth, long timeout) {
      this.weights = weights;
      this.auth = auth;
      this.timeout = timeout;
    }

    @Override
    public NodeLocator createLocator(List<MemcachedNode> nodes) {
      var hash = DefaultHashAlgorithm.KETAMA_HASH;
      return new KetamaNodeLocator(nodes, hash, KetamaNodeKeyFormatter.Format.SPYMEMCACHED, weights);
    }

    @Override
    public AuthDescriptor getAuthDescriptor() {
      return auth;
    }

    @Override
    public long getOperationTimeout() {
      return timeout;
    }

    @Override
    public boolean isDaemon() {
      return true;
    }
  }

  private JsonElement setMulti(JsonObject values) throws Exception {
    var futures = new ArrayList<Future<Boolean>>();
    for (var entry : values.entrySet()) {
      futures.add(client.set(entry.getKey(), 0, unpack(entry.getValue().getAsJsonObject())));
    }
    boolean all = true;
    for (var future : futures) {
      all &= future.get(timeout, TimeUnit.MILLISECONDS);
    }
    return new JsonPrimitive(all);
  }

  private JsonElement getMulti(JsonArray keys) {
    var list = new ArrayList<String>();
    keys.forEach(key -> list.add(key.getAsString()));
    var found = new JsonObject();
    client.getBulk(list).forEach((key, value) -> found.add(key, pack(value)));
    return found;
  }

  private JsonElement gets(String key) {
    CASValue<Object> found = client.gets(key);
    var result = new JsonObject();
    result.add("value", pack(found.getValue()));
    result.addProperty("cas", Long.toString(found.getCas()));
    return result;
  }

  private static long by(JsonObject request) {
    return request.get("by").getAsLong();
  }

  private JsonElement done(Future<Boolean> future) throws Exception {
    return new JsonPrimitive(future.get(timeout, TimeUnit.MILLISECONDS));
  }

  /** Returns the value that Go describes. */
  private static Object unpack(JsonObject tagged) {
    JsonElement value = tagged.get("value");
    switch (tagged.get("type").getAsString()) {
      case "text":
        return value.getAsString();
      case "bytes":
        return Base64.getDecoder().decode(value.getAsString());
      case "int":
        return Long.valueOf(value.getAsString());
      case "int32":
        return Integer.valueOf(value.getAsString());
      case "int8":
        return Byte.valueOf(value.getAsString());
      case "float":
        return value.getAsDouble();
      case "float32":
        return value.getAsFloat();
      case "bool":
        return value.getAsBoolean();
      case "date":
        return new Date(Long.parseLong(value.getAsString()));
      case "list":
        return unpackList(value.getAsJsonArray());
      case "object":
        JsonArray xy = value.getAsJsonArray();
        return new Point(xy.get(0).getAsInt(), xy.get(1).getAsInt());
      case "json":
        return new Gson().toJson(value);
      default:
        throw new IllegalArgumentException("no type " + tagged);
    }
  }

  private static List<Object> unpackList(JsonArray values) {
    var list = new ArrayList<Object>();
    values.forEach(v -> list.add(unpack(v.getAsJsonObject())));
    return list;
  }

  /** Describes a value to Go; a miss is null. */
  private static JsonElement pack(Object value) {
    if (value == null) {
      return JsonNull.INSTANCE;
    } else if (value instanceof String s) {
      return tagged("text", new JsonPrimitive(s));
    } else if (value instanceof byte[] b) {
      return tagged("bytes", new JsonPrimitive(Base64.getEncoder().encodeToString(b)));
    } else if (value instanceof Long i) {
      return tagged("int", new JsonPrimitive(i.toString()));
    } else if (value instanceof Integer i) {
      return tagged("int32", new JsonPrimitive(i.toString()));
    } else if (value instanceof Byte i) {
      return tagged("int8", new JsonPrimitive(i.toString()));
    } else if (value instanceof Double f) {
      return tagged("float", new JsonPrimitive(f));
    } else if (value instanceof Float f) {
      return tagged("float32", new JsonPrimitive(f));
    } else if (value instanceof Boolean b) {
      return tagged("bool", new JsonPrimitive(b));
    } else if (value instanceof Date d) {
      return tagged("date", new JsonPrimitive(Long.toString(d.getTime())));
    } else if (value instanceof List<?> items) {
      var list = new JsonArray();
      items.forEach(item -> list.add(pack(item)));
      return tagged("list", list);
    } else if (value instanceof Point p) {
      var xy = new JsonArray();
      xy.add(p.x());
      xy.add(p.y());
      return tagged("object", xy);
    }
    throw new IllegalArgumentException("no name for a " + value.getClass());
  }

  private static JsonObject tagged(String type, JsonElement value) {
    var result = new JsonObject();
    result.addProperty("type", type);
    result.add("value", value);
    return result;
  }
}
