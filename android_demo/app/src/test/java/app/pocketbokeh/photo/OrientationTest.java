package app.pocketbokeh.photo;

import static org.junit.Assert.assertEquals;

import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import android.media.ExifInterface;
import app.pocketbokeh.Memory;
import app.pocketbokeh.Photos;
import app.pocketbokeh.picture.Overlay;
import app.pocketbokeh.picture.Planes;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.nio.file.Files;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** Photos with every EXIF orientation are shown and saved upright. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class OrientationTest {
    private static final int WIDTH = 64;
    private static final int HEIGHT = 32;

    /**
     * By orientation, as EXIF specifies it: the corner in which the file's first pixel is seen, then
     * the corner of the last pixel of its first row. 9 is not a valid value and means 1.
     */
    private static final String[] CORNERS = {
        "", "top left, top right", "top right, top left", "bottom right, bottom left",
        "bottom left, bottom right", "top left, bottom left", "top right, bottom right",
        "bottom right, top right", "bottom left, top left", "top left, top right",
    };

    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    /** A white photo with a red patch at the first pixel and a blue one at the end of the row. */
    private PhotoFile photo(int orientation) throws Exception {
        Bitmap bitmap = Bitmap.createBitmap(WIDTH, HEIGHT, Bitmap.Config.ARGB_8888);
        bitmap.eraseColor(Color.WHITE);
        Canvas canvas = new Canvas(bitmap);
        Paint paint = new Paint();
        paint.setColor(Color.RED);
        canvas.drawRect(0, 0, 16, 16, paint);
        paint.setColor(Color.BLUE);
        canvas.drawRect(WIDTH - 16, 0, WIDTH, 16, paint);
        File file = new File(temporary.getRoot(), orientation + ".jpg");
        Photos.write(bitmap, file);
        ExifInterface exif = new ExifInterface(file.getPath());
        exif.setAttribute(ExifInterface.TAG_ORIENTATION, String.valueOf(orientation));
        exif.saveAttributes();
        return new PhotoFile(file);
    }

    /** The corner in which the red or the blue patch is. */
    private static String cornerOf(boolean red, Bitmap seen) {
        for (int corner = 0; corner < 4; corner++) {
            boolean below = corner / 2 == 1;
            boolean right = corner % 2 == 1;
            int x = right ? seen.getWidth() - 6 : 5;
            int color = seen.getPixel(x, below ? seen.getHeight() - 6 : 5);
            int other = red ? Color.blue(color) : Color.red(color);
            if (other < 100) {
                return (below ? "bottom" : "top") + (right ? " right" : " left");
            }
        }
        return "nowhere";
    }

    private static String corners(Bitmap seen) {
        return cornerOf(true, seen) + ", " + cornerOf(false, seen);
    }

    @Test
    public void theScreenShowsThemUpright() throws Exception {
        for (int orientation = 1; orientation < CORNERS.length; orientation++) {
            PhotoFile photo = photo(orientation);
            Bitmap seen = photo.decodeUpright(1000);
            assertEquals("" + orientation, CORNERS[orientation], corners(seen));
            assertEquals(photo.uprightWidth(), seen.getWidth());
            assertEquals(photo.uprightHeight(), seen.getHeight());
        }
    }

    /** An overlay that darkens the upper left quarter darkens the same quarter of the saved photo. */
    @Test
    public void theRenderingIsSavedWhereTheScreenShowsIt() throws Exception {
        Memory.set(1L << 32, 0);
        for (int orientation = 1; orientation < CORNERS.length; orientation++) {
            PhotoFile photo = photo(orientation);
            int width = photo.uprightWidth();
            int height = photo.uprightHeight();
            float[] gain = new float[width * height];
            for (int at = 0; at < gain.length; at++) {
                boolean upperLeft = at % width < width / 2 && at / width < height / 2;
                gain[at] = upperLeft ? 0 : 1;
            }
            Overlay overlay = new Overlay(height, width, gain, new Planes(height, width));
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            FullSize.write(
                    RuntimeEnvironment.getApplication(), photo, overlay, out, () -> false);
            File saved = new File(temporary.getRoot(), "saved.jpg");
            Files.write(saved.toPath(), out.toByteArray());
            Bitmap seen = new PhotoFile(saved).decodeUpright(1000);
            assertEquals(width, seen.getWidth());
            assertEquals(0, Color.green(seen.getPixel(width * 3 / 8, height * 3 / 8)), 40);
            assertEquals(255, Color.green(seen.getPixel(width * 5 / 8, height * 3 / 8)), 40);
            assertEquals(255, Color.green(seen.getPixel(width * 3 / 8, height * 5 / 8)), 40);
        }
    }
}
