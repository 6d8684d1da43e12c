package app.pocketbokeh.photo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;

import android.content.ContentResolver;
import android.net.Uri;
import app.pocketbokeh.Photos;
import app.pocketbokeh.R;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.Shadows;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** If a photo cannot be copied, the error says why and no file is left behind. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class PhotoFileTest {
    private static final Uri PHOTO = Uri.parse("content://photos/photo.jpg");

    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    private void assertFails(int message, InputStream photo, File to) {
        ContentResolver resolver = RuntimeEnvironment.getApplication().getContentResolver();
        Shadows.shadowOf(resolver).registerInputStream(PHOTO, photo);
        String[] before = temporary.getRoot().list();
        PhotoException error =
                assertThrows(PhotoException.class, () -> PhotoFile.copy(resolver, PHOTO, to));
        assertEquals(
                RuntimeEnvironment.getApplication().getString(message),
                RuntimeEnvironment.getApplication().getString(error.message()));
        assertArrayEquals("something is left behind", before, temporary.getRoot().list());
    }

    private InputStream photo() throws IOException {
        File file = Files.createTempFile("photo", ".jpg").toFile();
        byte[] content = Files.readAllBytes(Photos.write(Photos.draw(64, 48), file).toPath());
        file.delete();
        return new java.io.ByteArrayInputStream(content);
    }

    @Test
    public void aFileThatCannotBeRenamedIsNotCalledAFullDisk() throws Exception {
        File to = temporary.newFolder("taken");
        Files.createFile(to.toPath().resolve("inside"));
        assertFails(R.string.cannot_store, photo(), to);
    }

    @Test
    public void aFolderThatIsMissingIsNotCalledAnUnreadablePhoto() throws Exception {
        File to = new File(temporary.getRoot(), "none/photo");
        assertFails(R.string.cannot_store, photo(), to);
    }

    @Test
    public void aFileThatIsTooLargeIsRefused() {
        InputStream endless =
                new InputStream() {
                    @Override
                    public int read() {
                        return 0;
                    }

                    @Override
                    public int read(byte[] bytes, int offset, int length) {
                        return length;
                    }
                };
        assertFails(R.string.too_large, endless, new File(temporary.getRoot(), "photo"));
    }

    @Test
    public void anAppThatFailsToGiveItsPhotoLeavesNothing() {
        InputStream failing =
                new InputStream() {
                    @Override
                    public int read() {
                        throw new IllegalStateException("no connection");
                    }
                };
        assertFails(R.string.cannot_read, failing, new File(temporary.getRoot(), "photo"));
    }
}
