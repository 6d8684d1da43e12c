// The ways of showing the photo, A and B, and the colours of the two sides.

export const MODES = [
    {name: 'before', label: 'Before / after', key: 'o'},
    {name: 'split', label: 'Side by side', key: 's'},
    {name: 'grid', label: 'Grid', key: 'g'},
    {name: 'blink', label: 'Blink', key: 'b'},
    {name: 'difference', label: 'Difference', key: 'd'},
];

export const COLOURS = {photo: '#fff', a: '#f5a524', b: '#4cb5f5'};

export const LARGEST_GAIN = 64;
