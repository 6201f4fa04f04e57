# What `cmake --install` puts where, and the Debian package: cpack -G DEB in the build folder.

include(GNUInstallDirs)

if(TARGET unlearnd)
  install(TARGETS unlearnd RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES packaging/systemd/unlearnd.service DESTINATION lib/systemd/system)
endif()
install(TARGETS unlearnctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES packaging/bash-completion/unlearnctl DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
file(ARCHIVE_CREATE OUTPUT "${CMAKE_BINARY_DIR}/changelog.gz" PATHS "${CMAKE_SOURCE_DIR}/CHANGELOG.md"
     FORMAT raw COMPRESSION GZip)
install(FILES README.md SECURITY.md packaging/debian/copyright "${CMAKE_BINARY_DIR}/changelog.gz"
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/unlearnd)

set(CPACK_PACKAGE_NAME unlearnd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The unlearnd contributors <unlearnd@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
" Each node trains on its own data, shares a small distilled model with its
 neighbours, and predicts with all of them. When a node leaves, its neighbours
 drop its model and predict as if it had never been there.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# shlibdeps is content with any BLAS; the reference one is many times slower.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, libopenblas0-pthread")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${CMAKE_SOURCE_DIR}/packaging/debian/postinst"
    "${CMAKE_SOURCE_DIR}/packaging/debian/prerm"
    "${CMAKE_SOURCE_DIR}/packaging/debian/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
