package app.pocketbokeh.model;

import app.pocketbokeh.picture.NetworkInput;
import app.pocketbokeh.picture.Picture;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** The bundle in the app's assets. Every file's checksum is verified. */
public final class ModelBundle {
    private static final int SCHEMA_VERSION = 2;
    private static final String DIFFERENCE_SUFFIX = ".difference";

    /** Decodes a PNG; the app uses Android's decoder, tests their own. */
    public interface PictureReader {
        Picture read(byte[] png) throws IOException;
    }

    private final BundleFiles files;
    private final PictureReader pictures;
    private final String name;
    private final List<BundledModel> models;
    private final JSONArray golden;
    private final boolean takesFocus;

    private ModelBundle(
            BundleFiles files, PictureReader pictures, JSONObject described) throws JSONException {
        this.files = files;
        this.pictures = pictures;
        name = described.getString("name");
        models = readModels(described.getJSONArray("models"));
        golden = described.getJSONArray("golden");
        takesFocus = described.optString("fourth_channel").equals("focus");
    }

    /**
     * Reads bundle.json. Models and pictures are read later, when they are needed.
     *
     * @throws IOException if it is missing or damaged
     */
    public static ModelBundle read(BundleFiles files, PictureReader pictures) throws IOException {
        try {
            String text = new String(contentOf(files, "bundle.json"), StandardCharsets.UTF_8);
            JSONObject described = new JSONObject(text);
            if (described.getInt("schema_version") != SCHEMA_VERSION) {
                throw new IOException("bundle.json has another version than the app");
            }
            return new ModelBundle(files, pictures, described);
        } catch (JSONException error) {
            throw new IOException("bundle.json is damaged", error);
        }
    }

    private static List<BundledModel> readModels(JSONArray entries) throws JSONException {
        List<BundledModel> models = new ArrayList<>();
        for (int index = 0; index < entries.length(); index++) {
            JSONObject entry = entries.getJSONObject(index);
            JSONObject figures = entry.getJSONObject("figures");
            models.add(
                    new BundledModel(
                            entry.getString("recipe"),
                            entry.getString("file"),
                            entry.getJSONArray("working_size").getInt(0),
                            entry.getJSONArray("working_size").getInt(1),
                            entry.getString("sha256"),
                            figures.optDouble("golden_largest_step", 0),
                            figures.optDouble("golden_mean_step", 0),
                            figures.optDouble("golden_sharpness_mean_step", 0)));
        }
        return models;
    }

    /** The name of the training run it was exported from. */
    public String name() {
        return name;
    }

    /** Whether the network can be told where to focus. */
    public boolean takesFocus() {
        return takesFocus;
    }

    /** All models, by recipe, then by working size. */
    public List<BundledModel> models() {
        return new ArrayList<>(models);
    }

    /** The recipes of the models, each once. */
    public List<String> recipes() {
        List<String> recipes = new ArrayList<>();
        for (BundledModel model : models) {
            if (!recipes.contains(model.recipe())) {
                recipes.add(model.recipe());
            }
        }
        return recipes;
    }

    /** The recipe's model whose aspect ratio is nearest to a photo's. */
    public BundledModel nearestShape(String recipe, int height, int width) {
        BundledModel nearest = null;
        double least = Double.MAX_VALUE;
        for (BundledModel model : models) {
            double ratio = (double) height * model.width() / ((double) width * model.height());
            double distance = Math.abs(Math.log(ratio));
            if (model.recipe().equals(recipe) && distance < least) {
                nearest = model;
                least = distance;
            }
        }
        return nearest;
    }

    /**
     * Reads a model's file into a direct buffer.
     *
     * @throws IOException if it is missing or was changed since the export
     */
    public ByteBuffer content(BundledModel model) throws IOException {
        byte[] content = modelFile(model);
        check(model.file(), content, model.sha256());
        ByteBuffer buffer =
                ByteBuffer.allocateDirect(content.length).order(ByteOrder.nativeOrder());
        buffer.duplicate().put(content);
        return buffer;
    }

    /** A recipe's first model is stored as it is, the others as their difference from it (XOR). */
    private byte[] modelFile(BundledModel model) throws IOException {
        BundledModel first = model;
        for (int index = models.size() - 1; index >= 0; index--) {
            if (models.get(index).recipe().equals(model.recipe())) {
                first = models.get(index);
            }
        }
        byte[] base = contentOf(files, first.file());
        if (first.equals(model)) {
            return base;
        }
        byte[] content = contentOf(files, model.file() + DIFFERENCE_SUFFIX);
        for (int at = 0; at < Math.min(content.length, base.length); at++) {
            content[at] ^= base[at];
        }
        return content;
    }

    /**
     * Reads the golden pairs for a model's working size; at least one.
     *
     * @throws IOException if it is missing or damaged
     */
    public List<GoldenPair> golden(BundledModel model) throws IOException {
        List<GoldenPair> pairs = new ArrayList<>();
        try {
            for (int index = 0; index < golden.length(); index++) {
                JSONObject pair = golden.getJSONObject(index);
                JSONArray size = pair.getJSONArray("working_size");
                if (size.getInt(0) == model.height() && size.getInt(1) == model.width()) {
                    Picture sharpness =
                            pair.isNull("sharpness") ? null : picture(pair, "sharpness");
                    pairs.add(new GoldenPair(input(pair), picture(pair, "output"), sharpness));
                }
            }
        } catch (JSONException error) {
            throw new IOException("bundle.json is damaged", error);
        }
        if (pairs.isEmpty()) {
            throw new IOException("there is no golden pair for " + model.file());
        }
        return pairs;
    }

    private NetworkInput input(JSONObject pair) throws IOException, JSONException {
        Picture colours = picture(pair, "input");
        if (!takesFocus) {
            return new NetworkInput(colours, null);
        }
        byte[] map = new byte[colours.height() * colours.width()];
        if (!pair.isNull("focus")) {
            byte[] grey = picture(pair, "focus").rgb();
            for (int pixel = 0; pixel < map.length; pixel++) {
                map[pixel] = grey[3 * pixel];
            }
        }
        return new NetworkInput(colours, map);
    }

    private Picture picture(JSONObject pair, String which) throws IOException, JSONException {
        byte[] content = contentOf(files, pair.getString(which));
        check(pair.getString(which), content, pair.getString(which + "_sha256"));
        return pictures.read(content);
    }

    private static void check(String name, byte[] content, String sha256) throws IOException {
        StringBuilder found = new StringBuilder();
        try {
            for (byte part : MessageDigest.getInstance("SHA-256").digest(content)) {
                found.append(Character.forDigit(part >> 4 & 15, 16));
                found.append(Character.forDigit(part & 15, 16));
            }
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error);
        }
        if (!found.toString().equals(sha256)) {
            throw new IOException(name + " was changed since it was exported");
        }
    }

    private static byte[] contentOf(BundleFiles files, String name) throws IOException {
        try (InputStream stream = files.open(name)) {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            byte[] buffer = new byte[1 << 16];
            for (int count = stream.read(buffer); count >= 0; count = stream.read(buffer)) {
                content.write(buffer, 0, count);
            }
            return content.toByteArray();
        } catch (IOException error) {
            throw new IOException(name + " is missing", error);
        }
    }
}
