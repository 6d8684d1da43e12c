// Which of the files that were chosen, dropped or pasted is the photo. Pure functions.

export const LARGEST_UPLOAD = 100; // megabytes; the server refuses more

// The photo among some files, with a sentence about what was not taken. Without a photo, the
// sentence says why. `endings` are those of photo files, such as '.jpg'.
export function choosePhoto(files, endings) {
    const photos = files.filter((file) => isPhoto(file, endings));
    if (!files.length) return {photo: null, notice: ''};
    if (!photos.length) {
        const names = files.length === 1 ? `${files[0].name} is not a photo`
            : `None of the ${files.length} files is a photo`;
        return {
            photo: null,
            notice: `${names} that this page can read. Choose a JPEG, PNG, WebP, AVIF, HEIC or TIFF file.`,
        };
    }
    const [photo] = photos;
    const megabytes = photo.size / 1e6;
    if (megabytes > LARGEST_UPLOAD) {
        return {
            photo: null,
            notice: `${photo.name} has ${Math.ceil(megabytes)} MB; at most ${LARGEST_UPLOAD} MB can be `
                + 'uploaded. Choose a smaller file.',
        };
    }
    const notice = files.length === 1 ? ''
        : `One photo at a time: ${photo.name} was taken, ${files.length - 1} more `
            + `${files.length === 2 ? 'was' : 'were'} not.`;
    return {photo, notice};
}

// A photo from the clipboard may have no name; a HEIC file often has no type.
function isPhoto({name, type}, endings) {
    const ending = /\.[^.]*$/.exec(name ?? '')?.[0].toLowerCase();
    return endings.includes(ending) || (type.startsWith('image/') && type !== 'image/svg+xml');
}
