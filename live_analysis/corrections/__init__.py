"""What counts need before they are reconstructed: pixels, beam, zingers, phase, a leaning axis; rings, also after."""
