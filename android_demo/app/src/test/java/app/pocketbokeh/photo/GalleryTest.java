package app.pocketbokeh.photo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import android.content.ContentProvider;
import android.content.ContentResolver;
import android.content.ContentValues;
import android.content.pm.ProviderInfo;
import android.database.Cursor;
import android.net.Uri;
import android.os.ParcelFileDescriptor;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.shadows.ShadowContentResolver;

/** If storage fails, the error says why the picture was not written. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35)
public class GalleryTest {
    private static final Uri DOCUMENT = Uri.parse("content://media/document/1");

    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    private final ContentResolver resolver =
            RuntimeEnvironment.getApplication().getContentResolver();
    private File file;
    private int updates = 1;

    @Before
    public void prepareStorage() {
        file = new File(temporary.getRoot(), "picture.jpg");
        ProviderInfo info = new ProviderInfo();
        info.authority = "media";
        info.exported = true;
        UndeletableProvider provider = new UndeletableProvider();
        provider.attachInfo(RuntimeEnvironment.getApplication(), info);
        ShadowContentResolver.registerProviderInternal("media", provider);
    }

    /** Accepts a picture but refuses to remove it. */
    private final class UndeletableProvider extends ContentProvider {
        @Override
        public boolean onCreate() {
            return true;
        }

        @Override
        public Uri insert(Uri uri, ContentValues values) {
            return uri.buildUpon().appendPath("1").build();
        }

        @Override
        public int update(Uri uri, ContentValues values, String where, String[] arguments) {
            return updates;
        }

        @Override
        public int delete(Uri uri, String where, String[] arguments) {
            throw new SecurityException("it may not be removed");
        }

        @Override
        public ParcelFileDescriptor openFile(Uri uri, String mode) throws FileNotFoundException {
            int parsed = ParcelFileDescriptor.parseMode(mode);
            return ParcelFileDescriptor.open(file, parsed | ParcelFileDescriptor.MODE_CREATE);
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

    private static <T> T fail(String reason) throws IOException {
        throw new IOException(reason);
    }

    @Test
    public void aPictureThatCannotBeRemovedDoesNotHideWhyItFailed() {
        IOException error =
                assertThrows(
                        IOException.class,
                        () -> Gallery.add(resolver, "a.jpg", out -> fail("the disk is full")));
        assertEquals("the disk is full", error.getMessage());
        error =
                assertThrows(
                        IOException.class,
                        () ->
                                Gallery.writeDocument(
                                        resolver, DOCUMENT, out -> fail("the disk is full")));
        assertEquals("the disk is full", error.getMessage());
    }

    @Test
    public void aPictureThatStaysHiddenIsNotCalledSaved() {
        updates = 0;
        Gallery.Writer<Integer> writer =
                out -> {
                    out.write(1);
                    return 1;
                };
        IOException error =
                assertThrows(IOException.class, () -> Gallery.add(resolver, "a.jpg", writer));
        assertTrue(error.getMessage(), error.getMessage().contains("gallery"));
    }

    @Test
    public void aLongerDocumentIsTruncated() throws Exception {
        Files.write(file.toPath(), new byte[100]);
        Gallery.Writer<Integer> writer =
                out -> {
                    out.write(new byte[10]);
                    return 1;
                };
        Gallery.writeDocument(resolver, DOCUMENT, writer);
        assertEquals(10, file.length());
    }
}
