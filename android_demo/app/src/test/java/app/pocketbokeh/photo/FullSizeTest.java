package app.pocketbokeh.photo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import app.pocketbokeh.Memory;
import app.pocketbokeh.Photos;
import app.pocketbokeh.picture.Overlay;
import app.pocketbokeh.picture.Planes;
import java.io.ByteArrayOutputStream;
import java.io.File;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** The size at which a photo is decoded depends on the free memory. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class FullSizeTest {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 480;
    private static final long BYTES = 4L * WIDTH * HEIGHT;

    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    /** The divisor with which a photo is written. */
    private int sample(long free, long threshold) throws Exception {
        Memory.set(free, threshold);
        File file = new File(temporary.getRoot(), "photo.jpg");
        PhotoFile photo = new PhotoFile(Photos.write(Photos.draw(WIDTH, HEIGHT), file));
        Overlay nothing = new Overlay(1, 1, new float[] {1}, new Planes(1, 1));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        FullSize.Written written =
                FullSize.write(
                        RuntimeEnvironment.getApplication(), photo, nothing, out, () -> false);
        assertEquals(WIDTH / written.sample(), written.width());
        assertTrue(out.size() > 0);
        return written.sample();
    }

    @Test
    public void aPhotoThatFitsKeepsItsSize() throws Exception {
        assertEquals(1, sample(1L << 32, 1L << 28));
        assertEquals(1, sample(2 * BYTES + 1000, 1000));
    }

    @Test
    public void itIsHalvedUntilItFits() throws Exception {
        assertEquals(2, sample(2 * BYTES - 2, 0));
        assertEquals(4, sample(BYTES / 8, 0));
    }

    @Test
    public void inLowMemoryThePhotoIsNotDecodedAtFullSize() throws Exception {
        assertEquals(2, sample(4 * BYTES, 4 * BYTES));
        assertEquals(2, sample(4 * BYTES, 100 * BYTES));
        assertTrue(sample(0, 100 * BYTES) > 2);
    }
}
