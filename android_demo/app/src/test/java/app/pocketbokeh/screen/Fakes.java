package app.pocketbokeh.screen;

import android.content.ContentProvider;
import android.content.ContentValues;
import android.content.Intent;
import android.content.pm.ProviderInfo;
import android.database.Cursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import app.pocketbokeh.model.Accelerator;
import app.pocketbokeh.model.AcceleratorException;
import app.pocketbokeh.model.Renderer;
import app.pocketbokeh.picture.NetworkInput;
import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.Shadows;
import org.robolectric.shadows.ShadowContentResolver;

/** Fakes of accelerators and of the phone's gallery. */
final class Fakes {
    private Fakes() {}

    /** How an accelerator behaves. */
    enum Behaviour {
        RIGHT,
        /** By one 8-bit level, which still counts as correct. */
        BRIGHTER,
        WRONG,
        MISSING,
        FAILING,
        STUCK
    }

    /** The accelerators that were opened. */
    static final List<Accelerator> OPENED = new ArrayList<>();

    /** How much brighter the test's models make what is in focus. */
    private static final float FOCUS_GAIN = 0.15f;

    /** What the renderers were given since the last reset. */
    static final List<NetworkInput> SEEN = Collections.synchronizedList(new ArrayList<>());

    /** How many renderers are open now. */
    static final AtomicInteger OPEN = new AtomicInteger();

    static volatile int mostOpen;

    static CountDownLatch stuck = new CountDownLatch(1);

    static void accelerators(Behaviour cpu, Behaviour gpu, Behaviour nnapi) {
        OPENED.clear();
        SEEN.clear();
        OPEN.set(0);
        mostOpen = 0;
        Models.opener =
                (model, accelerator) -> {
                    Behaviour behaviour =
                            switch (accelerator) {
                                case CPU -> cpu;
                                case GPU -> gpu;
                                case NNAPI -> nnapi;
                            };
                    if (behaviour == Behaviour.MISSING) {
                        throw new AcceleratorException("is missing", null);
                    }
                    OPENED.add(accelerator);
                    mostOpen = Math.max(mostOpen, OPEN.incrementAndGet());
                    return new Doubling(behaviour);
                };
    }

    /** Doubles its input; brightens what is in focus and calls it sharp, as the test's models do. */
    private record Doubling(Behaviour behaviour) implements Renderer {
        @Override
        public Planes render(NetworkInput seen) throws AcceleratorException {
            Picture input = seen.colours();
            SEEN.add(seen);
            if (behaviour == Behaviour.FAILING) {
                throw new AcceleratorException("failed midway", null);
            }
            if (behaviour == Behaviour.STUCK) {
                try {
                    stuck.await();
                } catch (InterruptedException error) {
                    throw new IllegalStateException(error);
                }
            }
            int width = 2 * input.width();
            int height = 2 * input.height();
            int channels = seen.focus() == null ? 3 : 4;
            Planes planes = new Planes(height, width, new float[channels][height * width]);
            for (int channel = 0; channel < 3; channel++) {
                float[] plane = planes.channel(channel);
                for (int pixel = 0; pixel < plane.length; pixel++) {
                    int from = pixel / width / 2 * input.width() + pixel % width / 2;
                    float value = (input.rgb()[3 * from + channel] & 0xff) / 255f;
                    if (seen.focus() != null) {
                        value = Math.min(1, value + FOCUS_GAIN * (seen.focus()[from] & 0xff) / 255f);
                    }
                    plane[pixel] =
                            switch (behaviour) {
                                case WRONG -> 1 - value;
                                case BRIGHTER -> value + 1 / 255f;
                                default -> value;
                            };
                }
            }
            if (seen.focus() != null) {
                float[] sharpness = planes.channel(3);
                for (int pixel = 0; pixel < sharpness.length; pixel++) {
                    int from = pixel / width / 2 * input.width() + pixel % width / 2;
                    sharpness[pixel] = (seen.focus()[from] & 0xff) / 255f;
                }
            }
            return planes;
        }

        @Override
        public void close() {
            OPEN.decrementAndGet();
        }
    }

    /** The URI with which another app gives access to a photo. */
    static Uri granted(File file) {
        Uri uri = Uri.parse("content://photos/" + file.getName());
        Shadows.shadowOf(RuntimeEnvironment.getApplication().getContentResolver())
                .registerInputStreamSupplier(
                        uri,
                        () -> {
                            try {
                                return new FileInputStream(file);
                            } catch (FileNotFoundException error) {
                                throw new IllegalStateException(error);
                            }
                        });
        return uri;
    }

    /** The intent with which another app shares a photo to this app. */
    static Intent sharing(File file) {
        return new Intent(Intent.ACTION_SEND)
                .setType("image/jpeg")
                .putExtra(Intent.EXTRA_STREAM, granted(file));
    }

    /** The phone's gallery; it stores one picture in a file. */
    static final class GalleryProvider extends ContentProvider {
        private final File file;
        final List<ContentValues> inserted = new ArrayList<>();
        final List<ContentValues> updated = new ArrayList<>();
        int deleted;

        GalleryProvider(File file) {
            this.file = file;
            ProviderInfo info = new ProviderInfo();
            info.authority = "media";
            info.exported = true;
            attachInfo(RuntimeEnvironment.getApplication(), info);
            ShadowContentResolver.registerProviderInternal("media", this);
        }

        @Override
        public boolean onCreate() {
            return true;
        }

        @Override
        public Uri insert(Uri uri, ContentValues values) {
            inserted.add(new ContentValues(values));
            return uri.buildUpon().appendPath("1").build();
        }

        @Override
        public int update(Uri uri, ContentValues values, String where, String[] arguments) {
            updated.add(new ContentValues(values));
            return 1;
        }

        @Override
        public int delete(Uri uri, String where, String[] arguments) {
            deleted++;
            return 1;
        }

        @Override
        public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
            return ParcelFileDescriptor.open(
                    file,
                    ParcelFileDescriptor.MODE_CREATE | ParcelFileDescriptor.MODE_READ_WRITE);
        }

        @Override
        public String getType(Uri uri) {
            return "image/jpeg";
        }

        @Override
        public Cursor query(
                Uri uri, String[] columns, String where, String[] values, String order) {
            return null;
        }
    }
}
