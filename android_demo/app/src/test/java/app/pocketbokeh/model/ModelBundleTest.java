package app.pocketbokeh.model;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import app.pocketbokeh.picture.Picture;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Set;
import java.util.TreeSet;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;

/** Reads the bundle in the assets; files that are missing or changed are named. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35)
public class ModelBundleTest {
    private final Set<String> missing = new TreeSet<>();
    private final Set<String> changed = new TreeSet<>();

    private InputStream open(String name) throws IOException {
        if (missing.contains(name)) {
            throw new FileNotFoundException(name);
        }
        InputStream asset = RuntimeEnvironment.getApplication().getAssets().open("bundle/" + name);
        if (!changed.contains(name)) {
            return asset;
        }
        byte[] content = asset.readAllBytes();
        content[content.length / 2] ^= 1;
        return new ByteArrayInputStream(content);
    }

    private ModelBundle read() throws IOException {
        return ModelBundle.read(this::open, png -> new Picture(1, 1, new byte[3]));
    }

    private static void assertRefused(String reason, ModelBundle bundle, BundledModel model) {
        IOException error = assertThrows(IOException.class, () -> bundle.content(model));
        assertTrue(error.getMessage(), error.getMessage().contains(reason));
    }

    @Test
    public void everyModelHasItsChecksum() throws IOException {
        ModelBundle bundle = read();
        assertEquals(4, bundle.models().size());
        for (BundledModel model : bundle.models()) {
            assertTrue(bundle.content(model).capacity() > 0);
        }
    }

    @Test
    public void aMissingOrChangedFileIsNamed() throws IOException {
        ModelBundle bundle = read();
        BundledModel first = bundle.models().get(0);
        BundledModel second = bundle.models().get(1);
        missing.add(first.file());
        assertRefused(first.file() + " is missing", bundle, first);
        assertRefused(first.file() + " is missing", bundle, second);
        missing.clear();
        changed.add(first.file());
        assertRefused("was changed since it was exported", bundle, first);
        changed.clear();
        changed.add(second.file() + ".difference");
        assertRefused(second.file() + " was changed", bundle, second);
        bundle.content(first);
    }

    @Test
    public void aMissingDescriptionIsNamed() {
        missing.add("bundle.json");
        IOException error = assertThrows(IOException.class, this::read);
        assertEquals("bundle.json is missing", error.getMessage());
    }

    @Test
    public void thePhotosShapeChoosesTheModel() throws IOException {
        ModelBundle bundle = read();
        BundledModel upright = bundle.nearestShape("float16", 4000, 3000);
        BundledModel lying = bundle.nearestShape("float16", 3000, 4000);
        assertTrue(upright.height() > upright.width());
        assertTrue(lying.width() > lying.height());
    }
}
