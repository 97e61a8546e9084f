"""The image's bill of materials: what lies in it, read from its own files, as CycloneDX 1.6.

    engine.py    podman or docker: what the image is called, and its files as one tar archive
    contents.py  that archive: the few files that say what is there, and how large each part is
    python.py    distributions, what their wheels say is inside of them (PEP 770), and libraries that were copied in
    debian.py    packages, from the records that rootfs.sh keeps
    npm.py       what the pages load
    bill.py      all of it as one document, validated against CycloneDX's own schema

`python -m daemonset.image.sbom` writes it; `make image` does so after each build.
"""
