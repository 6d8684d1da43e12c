package app.pocketbokeh.photo;

import android.graphics.Bitmap;
import app.pocketbokeh.picture.DetailTransfer;
import app.pocketbokeh.picture.Framed;
import app.pocketbokeh.picture.NetworkInput;
import app.pocketbokeh.picture.Overlay;
import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;
import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.OutputStream;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** Times the stages of a photo without the model; writes to the file of the property `benchmark`. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class FullSizeBenchmark {
    private static final int PREVIEW_SIDE = 2048;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private long started;

    @Test
    public void measure() throws Exception {
        PhotoFile photo = new PhotoFile(new File(System.getProperty("photo")));
        JSONObject cold = once(photo);
        JSONObject warm = null;
        for (int run = 0; run < 3; run++) {
            warm = once(photo);
        }
        JSONObject both = new JSONObject().put("first", cold).put("warm", warm);
        Files.writeString(new File(System.getProperty("benchmark")).toPath(), both.toString(2));
    }

    private void begin() {
        started = System.nanoTime();
    }

    private double milliseconds() {
        return Double.parseDouble(
                String.format(Locale.ROOT, "%.1f", (System.nanoTime() - started) / 1e6));
    }

    private JSONObject once(PhotoFile photo) throws Exception {
        JSONObject times = new JSONObject();
        long allocated = threads.getCurrentThreadAllocatedBytes();
        long collections = collections();
        begin();
        Bitmap preview = photo.decodeUpright(PREVIEW_SIDE);
        times.put("decode_for_the_screen_ms", milliseconds());
        begin();
        int[] pixels = new int[preview.getWidth() * preview.getHeight()];
        preview.getPixels(
                pixels, 0, preview.getWidth(), 0, 0, preview.getWidth(), preview.getHeight());
        Picture picture = Picture.ofPixels(preview.getHeight(), preview.getWidth(), pixels);
        boolean upright = picture.height() > picture.width();
        List<Framed> views = Framed.views(picture, upright ? 512 : 384, upright ? 384 : 512);
        List<NetworkInput> inputs = views.stream().map(view -> view.networkInput()).toList();
        times.put("scale_ms", milliseconds());
        List<Planes> renderings = new ArrayList<>();
        for (NetworkInput input : inputs) {
            renderings.add(doubled(input.colours()));
        }
        begin();
        Overlay overlay = DetailTransfer.mean(views, renderings);
        times.put("find_detail_ms", milliseconds());
        begin();
        Bitmap full = photo.decode(1);
        times.put("decode_full_ms", milliseconds());
        begin();
        FullSize.render(full, overlay.asStored(photo.orientation()), () -> false);
        times.put("transfer_ms", milliseconds());
        begin();
        OutputStream out = new ByteArrayOutputStream(8 << 20);
        full.compress(Bitmap.CompressFormat.JPEG, 95, out);
        times.put("encode_ms", milliseconds());
        times.put("megapixels", photo.pixels() / 1e6);
        times.put("java_megabytes", (threads.getCurrentThreadAllocatedBytes() - allocated) / 1e6);
        times.put("collections", collections() - collections);
        full.recycle();
        preview.recycle();
        return times;
    }

    private static long collections() {
        long count = 0;
        for (GarbageCollectorMXBean bean : ManagementFactory.getGarbageCollectorMXBeans()) {
            count += bean.getCollectionCount();
        }
        return count;
    }

    /** Replaces a model's rendering: the input, doubled, with sharpness that grows downwards. */
    private static Planes doubled(Picture input) {
        int height = 2 * input.height();
        int width = 2 * input.width();
        Planes planes = new Planes(height, width, new float[4][height * width]);
        float[] sharpness = planes.channel(3);
        for (int pixel = 0; pixel < sharpness.length; pixel++) {
            sharpness[pixel] = pixel / width / (float) height;
        }
        for (int channel = 0; channel < 3; channel++) {
            float[] plane = planes.channel(channel);
            for (int pixel = 0; pixel < plane.length; pixel++) {
                int row = pixel / planes.width() / 2;
                int column = pixel % planes.width() / 2;
                int from = 3 * (row * input.width() + column) + channel;
                plane[pixel] = (input.rgb()[from] & 0xff) / 255f;
            }
        }
        return planes;
    }
}
